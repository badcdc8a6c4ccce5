/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import io.tagstream.model.metrics.Metric;
import java.util.List;

/** The metrics of the HTTP server. */
public enum HttpMetric implements Metric {
    REFUSED(
            "tagstream.http.refused",
            Type.COUNTER,
            "requests",
            "Requests that were refused for what they take: `busy` (503, too many at a time), `late` (408, the body came too"
                    + " slowly), `large` (413, the body is too large); and connections that were closed: `unread` (the"
                    + " answer was taken too slowly), `idle` (no complete request head in time), `crowded` (no request,"
                    + " and too many connections).",
            "reason"),
    WAITING(
            "tagstream.http.waiting",
            Type.GAUGE,
            "requests",
            "Requests that wait for others of their kind; after %d s they are refused as `busy`."
                    .formatted(ClientLimits.STANDARD.turn().toSeconds()));

    @SuppressWarnings("ImmutableEnumChecker") // its list is a copy
    private final Definition definition;

    HttpMetric(String id, Type type, String unit, String help, String... tags) {
        this.definition = new Definition(id, type, unit, help, List.of(tags));
    }

    @Override
    public Definition definition() {
        return definition;
    }
}
