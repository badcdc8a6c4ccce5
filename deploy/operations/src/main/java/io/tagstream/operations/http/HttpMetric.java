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
            "Requests that were refused because they take too much: `busy` (503, too many at a time), `late` (408, the"
                    + " body arrived too slowly), `large` (413, the body is too large); and connections that were"
                    + " closed: `unread` (the client read the answer too slowly), `idle` (no complete request head in"
                    + " time), `crowded` (too many connections, and no request on this one).",
            "reason"),
    WAITING(
            "tagstream.http.waiting",
            Type.GAUGE,
            "requests",
            "Requests that wait for others of the same kind to finish; after %d s they are refused as `busy`."
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
