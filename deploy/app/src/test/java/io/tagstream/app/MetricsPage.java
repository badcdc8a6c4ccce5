/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusNamingConvention;
import io.tagstream.feed.IndexMetric;
import io.tagstream.model.batch.PipelineMetric;
import io.tagstream.model.metrics.Metric;
import io.tagstream.operations.http.HttpMetric;
import io.tagstream.topology.tagging.TaggingMetric;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The metrics' documentation, rendered from the code that declares them. */
public final class MetricsPage {
    private static final PrometheusNamingConvention NAMES = new PrometheusNamingConvention();

    private MetricsPage() {}

    /** The page as Markdown: every metric, sorted by name, with its type, unit, tags and documentation. */
    public static String render() {
        StringBuilder page = new StringBuilder();
        page.append("# Metrics\n\n");
        page.append(
                "Generated from `PipelineMetric`, `TaggingMetric`, `IndexMetric` and `HttpMetric`; a test fails when"
                        + " this page is stale.\n\n");
        page.append("If `http.port` is set, `tagstream run` serves them for Prometheus at `/metrics`. It also serves"
                + " `/health/live` (200 until tagging has stopped for good), `/health/ready` (200 while the instance can"
                + " serve), `/health/tagging` (200 unless [images wait](operations.md#when-images-wait)) and"
                + " `/health/copies` (200 while [copies of state](operations.md#restarting-instances-one-after-the-other)"
                + " are complete); otherwise the answer is 503 and says why. Timers and summaries are served as `_count`, `_sum` and"
                + " `_max`. `tagstream index` serves its own metrics, `tagstream_index_*`, in the same way; it is"
                + " ready while documents are being indexed and searches find them.\n\n");
        page.append("| metric | type | unit | tags | meaning |\n|---|---|---|---|---|\n");
        metrics()
                .sorted(Comparator.comparing(Metric::id))
                .forEach(metric -> page.append("| `%s` | %s | %s | %s | %s |\n"
                        .formatted(
                                prometheusName(metric),
                                metric.type().name().toLowerCase(Locale.ROOT),
                                metric.unit(),
                                metric.tags().stream()
                                        .map(tag -> "`" + tag + "`")
                                        .collect(Collectors.joining(", ")),
                                metric.help())));
        page.append("\nHosts are counted, never named: a name would add a time series for every host that anyone"
                + " submits.\n\n");
        page.append("The metrics of Kafka Streams begin with `kafka_`: commits are `kafka_stream_thread_commit_total`,"
                + " their time `kafka_stream_thread_commit_latency_avg`, restoration `kafka_stream_state_updater_*`,"
                + " the clients' metrics `kafka_consumer_*` and `kafka_producer_*`. Those of the JVM begin with `jvm_`"
                + " and `process_`.\n");
        return page.toString();
    }

    static Stream<Metric> metrics() {
        return Stream.of(
                        List.of(PipelineMetric.values()),
                        List.of(TaggingMetric.values()),
                        List.of(IndexMetric.values()),
                        List.of(HttpMetric.values()))
                .flatMap(List::stream);
    }

    static String prometheusName(Metric metric) {
        Meter.Type type = switch (metric.type()) {
            case GAUGE -> Meter.Type.GAUGE;
            case COUNTER -> Meter.Type.COUNTER;
            case TIMER -> Meter.Type.TIMER;
            case SUMMARY -> Meter.Type.DISTRIBUTION_SUMMARY;
        };
        String name = NAMES.name(metric.id(), type, metric.type() == Metric.Type.TIMER ? null : metric.unit());
        return metric.type() == Metric.Type.COUNTER ? name + "_total" : name;
    }
}
