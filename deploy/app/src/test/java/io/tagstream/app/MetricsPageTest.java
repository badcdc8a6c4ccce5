/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.model.metrics.Metric;
import io.tagstream.operations.Operations;
import io.tagstream.topology.config.TagstreamConfig;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MetricsPageTest {
    private static final Path PAGE = Path.of("..", "docs", "metrics.md");

    /** {@code -Dmetrics.page.write=true} rewrites the page. */
    @Test
    void shouldBeWhatTheCodeDeclares() throws Exception {
        if (Boolean.getBoolean("metrics.page.write")) {
            Files.writeString(PAGE, MetricsPage.render());
        }

        assertThat(PAGE).hasContent(MetricsPage.render());
    }

    @Test
    void shouldNameAndDocumentEveryMetric() {
        assertThat(MetricsPage.metrics()).extracting(Metric::id).doesNotHaveDuplicates();
        assertThat(MetricsPage.metrics()).allSatisfy(metric -> {
            assertThat(metric.id()).matches("tagstream(\\.[a-z]+)+");
            assertThat(metric.help()).endsWith(".");
        });
    }

    @Test
    void shouldServeEveryMetricUnderTheNameOnThePage() throws Exception {
        TagstreamConfig config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "nowhere:1",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1",
                TagstreamConfig.HTTP_PORT,
                0));
        try (Operations operations = new Operations(config, Optional::empty, Optional::empty)) {
            List<Metric> metrics = MetricsPage.metrics().toList();
            metrics.forEach(metric -> register(metric, operations.metrics()));
            HttpResponse<String> page = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/metrics"
                                            .formatted(operations.port().orElseThrow())))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(page.statusCode()).isEqualTo(200);
            assertThat(page.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/plain");
            for (Metric metric : metrics) {
                assertThat(page.body().lines())
                        .as(metric.id())
                        .anyMatch(line -> line.startsWith("# HELP " + MetricsPage.prometheusName(metric) + " "));
            }
            assertThat(page.body()).contains("jvm_memory_used_bytes");
        }
    }

    private static void register(Metric metric, MeterRegistry registry) {
        String[] values = metric.tags().stream().map(tag -> "x").toArray(String[]::new);
        switch (metric.type()) {
            case GAUGE -> metric.gauge(registry, registry, any -> 1, values);
            case COUNTER -> metric.counter(registry, values).increment();
            case TIMER -> metric.timer(registry, values).record(() -> {});
            case SUMMARY -> metric.summary(registry, values).record(1);
        }
    }
}
