/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.cluster.topics.TopicReport;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream topics}. */
@Command(
        name = "topics",
        description = {
            "Lists the topics that Tagstream needs: whether each one exists and is fit for use, its partitions, how"
                    + " many offsets are kept (at least as many as its records), and settings that differ from those"
                    + " that Tagstream would create it with.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream topics --config tagstream.properties",
            "  tagstream topics --config tagstream.properties --json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:all exist and are fit for use",
            "1:one is missing or not fit for use, or the cluster cannot be read",
            "2:wrong usage or configuration"
        })
public final class TopicsCommand implements Callable<Integer>, Subcommand {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Option(names = "--json", description = "Write one JSON object per line.")
    private boolean json;

    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        TagstreamConfig config = cluster.config();
        try {
            List<TopicReport.Topic> topics = TopicReport.of(config);
            PrintStream output = Terminal.utf8Output();
            topics.forEach(topic -> output.println(json ? object(topic) : text(topic)));
            output.flush();
            return topics.stream().allMatch(TopicReport.Topic::fit) ? ExitCode.DONE : ExitCode.FAILED;
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    private static String text(TopicReport.Topic topic) {
        if (topic.partitions() == 0) {
            return "%-18s %s  (%s; would be created with %d partitions)"
                    .formatted(topic.name(), Terminal.Colour.BAD.of("missing"), topic.key(), topic.wantedPartitions());
        }
        String partitions = topic.partitions() == topic.wantedPartitions()
                ? String.valueOf(topic.partitions())
                : "%d, would be created with %d".formatted(topic.partitions(), topic.wantedPartitions());
        String differences = topic.settings().stream()
                .filter(setting -> !setting.asWanted())
                .map(setting -> "; %s=%s, would be created with %s"
                        .formatted(setting.name(), setting.found().orElse("?"), setting.wanted()))
                .collect(Collectors.joining());
        return String.format(
                Locale.ROOT,
                "%-18s %s  %,d offsets; partitions %s%s%s",
                topic.name(),
                topic.fit() ? Terminal.Colour.GOOD.of("fit    ") : Terminal.Colour.BAD.of("not fit"),
                topic.offsets(),
                partitions,
                differences,
                topic.misfit().map(misfit -> "; " + misfit).orElse(""));
    }

    private static String object(TopicReport.Topic topic) {
        ObjectNode line = JSON.createObjectNode()
                .put("topic", topic.name())
                .put("key", topic.key())
                .put("exists", topic.partitions() > 0)
                .put("fit", topic.fit())
                .put("notFitBecause", topic.misfit().orElse(null))
                .put("partitions", topic.partitions())
                .put("wantedPartitions", topic.wantedPartitions())
                .put("offsets", topic.offsets());
        ObjectNode settings = line.putObject("settings");
        topic.settings()
                .forEach(setting -> settings.putObject(setting.name())
                        .put("found", setting.found().orElse(null))
                        .put("wanted", setting.wanted()));
        try {
            return JSON.writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A tree of plain values is always JSON", e);
        }
    }
}
