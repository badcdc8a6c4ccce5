/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.tagstream.model.metrics.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The alerts and dashboards of the chart, held to the page of metrics. */
class MonitoringTest {
    private static final Path MONITORING = Path.of("..", "chart", "monitoring");
    /** What Prometheus adds to every time series. */
    private static final Set<String> TARGET = Set.of("namespace", "job", "instance");
    /** What the page says of metrics that are not Tagstream's; and {@code up}, which Prometheus makes itself. */
    private static final Pattern OTHERS = Pattern.compile(
            "up|kafka_stream_(thread_|state_updater_)?[a-z_]+|kafka_(consumer|producer)_[a-z_]+|(jvm|process)_[a-z_]+");

    private static final Pattern VALUES = Pattern.compile("label_values\\((.*), (\\w+)\\)");

    private final Map<String, Set<String>> tags = tags();

    @Test
    void shouldAskOnlyForMetricsAndLabelsThatAreThere() throws Exception {
        List<String> wrong = new ArrayList<>();
        expressions().forEach((where, text) -> wrongIn(text).forEach(what -> wrong.add(where + ": " + what)));
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldShowEveryMetric() throws Exception {
        Set<String> shown = new TreeSet<>();
        for (String text : expressions().values()) {
            Expression.parse(text).selectors().forEach(selector -> shown.add(selector.metric()));
        }
        assertThat(MetricsPage.metrics())
                .allSatisfy(metric -> assertThat(served(metric)).as(metric.id()).containsAnyElementsOf(shown));
    }

    @Test
    void shouldSayWhatIsWrongWithAnExpression() {
        assertThat(
                        wrongIn(
                                "sum by (reason) (rate(tagstream_runtime_failures_images_total{reason=~\"FETCH.*\"}[5m])) > 1e4"))
                .isEmpty();
        assertThat(wrongIn("tagstream_runtime_failure_images_total")).hasSize(1);
        assertThat(wrongIn("tagstream_runtime_stage_seconds")).hasSize(1);
        assertThat(wrongIn("tagstream_runtime_stage_seconds_max{step=\"fetch\"}"))
                .hasSize(1);
        assertThat(wrongIn("max by (reson) (tagstream_tagging_waiting_partitions)"))
                .hasSize(1);
        assertThat(wrongIn("kafka_streams_thread_commit_total")).hasSize(1);
    }

    private List<String> wrongIn(String text) {
        List<String> wrong = new ArrayList<>();
        Expression expression = Expression.parse(text);
        Set<String> known = new HashSet<>(TARGET);
        boolean others = false;
        for (Expression.Selector selector : expression.selectors()) {
            Set<String> own = tags.get(selector.metric());
            if (own != null) {
                known.addAll(own);
                selector.labels().stream()
                        .filter(label -> !own.contains(label) && !TARGET.contains(label))
                        .forEach(label -> wrong.add("%s has no label %s".formatted(selector.metric(), label)));
            } else if (OTHERS.matcher(selector.metric()).matches()) {
                others = true;
            } else {
                wrong.add("there is no metric " + selector.metric());
            }
        }
        if (!others && wrong.isEmpty()) {
            expression.grouping().stream()
                    .filter(label -> !known.contains(label))
                    .forEach(label -> wrong.add("no metric of it has the label " + label));
        }
        return wrong;
    }

    /** The labels of every time series that Tagstream serves, by its name. */
    private static Map<String, Set<String>> tags() {
        Map<String, Set<String>> tags = new LinkedHashMap<>();
        MetricsPage.metrics()
                .forEach(metric -> served(metric).forEach(name -> tags.put(name, Set.copyOf(metric.tags()))));
        return tags;
    }

    private static List<String> served(Metric metric) {
        String name = MetricsPage.prometheusName(metric);
        return switch (metric.type()) {
            case GAUGE, COUNTER -> List.of(name);
            case TIMER, SUMMARY -> List.of(name + "_count", name + "_sum", name + "_max");
        };
    }

    /** Every expression by where it is. */
    private static Map<String, String> expressions() throws IOException {
        Map<String, String> expressions = new LinkedHashMap<>();
        JsonNode alerts =
                new YAMLMapper().readTree(MONITORING.resolve("alerts.yaml").toFile());
        for (JsonNode group : alerts.get("groups")) {
            for (JsonNode rule : group.get("rules")) {
                expressions.put(rule.get("alert").asText(), rule.get("expr").asText());
            }
        }
        try (Stream<Path> dashboards = Files.list(MONITORING.resolve("dashboards"))) {
            for (Path path : dashboards.sorted().toList()) {
                dashboard(path.getFileName().toString(), new YAMLMapper().readTree(path.toFile()), expressions);
            }
        }
        assertThat(expressions).hasSizeGreaterThan(50);
        return expressions;
    }

    private static void dashboard(String name, JsonNode dashboard, Map<String, String> expressions) {
        for (JsonNode panel : dashboard.get("panels")) {
            String where = "%s, panel %s".formatted(name, panel.get("id").asText());
            for (JsonNode target : panel.get("targets")) {
                expressions.put(
                        where + target.get("refId").asText(), target.get("expr").asText());
            }
        }
        for (JsonNode variable : dashboard.get("templating").get("list")) {
            Matcher values = VALUES.matcher(variable.path("query").path("query").asText());
            if (values.matches()) {
                expressions.put(
                        "%s, variable %s".formatted(name, variable.get("name").asText()), values.group(1));
            }
        }
    }
}
