/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.tagstream.model.metrics.Metric;
import java.util.List;

/** What the index feed measures. */
public enum IndexMetric implements Metric {
    LAG(
            "tagstream.index.lag",
            Type.GAUGE,
            "records",
            "Records of the tags topic that are not yet in the index, in the partitions that this instance reads."),
    UNSETTLED(
            "tagstream.index.unsettled",
            Type.GAUGE,
            "records",
            "Records that have been read and are on their way to the server, including those that wait for a retry."),
    DOCUMENTS(
            "tagstream.index.documents",
            Type.COUNTER,
            "documents",
            "Records by outcome: `written`, `deleted`, `unchanged` (the index had this version or a later one) or"
                    + " `rejected` (now a dead letter).",
            "outcome"),
    RETRIES(
            "tagstream.index.retries",
            Type.COUNTER,
            "documents",
            "Documents that the server did not accept and that are sent again, counted each time."),
    LATENCY(
            "tagstream.index.latency",
            Type.TIMER,
            "seconds",
            "Time from the timestamp of a record of the tags topic until the server has accepted its document. A search"
                    + " finds it after the index's next refresh.");

    @SuppressWarnings("ImmutableEnumChecker") // its list is a copy
    private final Definition definition;

    IndexMetric(String id, Type type, String unit, String help, String... tags) {
        this.definition = new Definition(id, type, unit, help, List.of(tags));
    }

    @Override
    public Definition definition() {
        return definition;
    }
}
