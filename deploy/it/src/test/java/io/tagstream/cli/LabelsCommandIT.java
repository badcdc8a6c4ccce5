/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Label;
import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tagstream labels} beside a running {@code tagstream run}. */
@InRun
class LabelsCommandIT {
    @TempDir
    Path directory;

    private Path configuration;

    @Test
    void shouldShowAndChangeTheVocabularyOfARunningTagstream() throws Exception {
        try (TestCluster cluster = TestCluster.start()) {
            configure(cluster.bootstrapServers(), cluster.registryUrl());
            try (CommandProcess run = CommandProcess.start("run", "--config", configuration.toString())) {
                run.awaitNote("Images wait for the vocabulary");
                run.awaitNote("the vocabulary has no labels");
                Run empty = labels("list");
                assertThat(empty.lines()).isEmpty();
                assertThat(empty.errors()).contains("the vocabulary has no labels", "labels import --bundle");

                assertDone(labels("add", "heron"), "1 change in force: 1 labels, vocabulary epoch ");
                assertDone(
                        labels("add", "sea-lion", "--name", "sea lion", "--prompt", "a {} on a rock", "--shadow"),
                        "1 change in force: 2 labels");
                assertUsage(labels("add", "heron"), "label \"heron\" already exists", "labels set heron");
                assertUsage(labels("set", "stork", "--threshold", "0.5"), "there is no label \"stork\"");
                assertUsage(labels("set", "heron", "--threshold", "high"), "--threshold high");
                assertDone(labels("set", "heron", "--threshold", "0.75"), "1 change in force: 2 labels");
                assertDone(labels("set", "heron", "--threshold", "0.75"), "Nothing to change.");
                assertThat(labels("list").lines())
                        .containsExactlyInAnyOrder(
                                "heron  threshold 0.75", "sea-lion  \"sea lion\"  SHADOW  a {} on a rock");
                assertThat(labels("list", "--json").lines())
                        .contains("{\"id\":\"heron\",\"name\":\"heron\",\"prompts\":[],\"threshold\":0.75,"
                                + "\"state\":\"ACTIVE\"}");

                assertUsage(labels("add", "long", "--name", "x".repeat(501)), "501 characters", "nothing was changed");
                assertUsage(labels("add", "be\u0007ll"), "contains U+0007", "nothing was changed");
                assertUsage(labels("add", " "), "shows nothing", "nothing was changed");
                Path tooLong = Files.writeString(
                        directory.resolve("long.csv"), "id,name\nok,ok\nlong,%s\n".formatted("x".repeat(501)));
                assertUsage(labels("import", tooLong.toString()), "label \"long\"", "501 characters");
                assertUsage(
                        labels("add", "third", "--set", "vocabulary.max=2"), "has 2 labels", "raise vocabulary.max");

                Run refused = labels("set", "sea-lion", "--prompt", "word ".repeat(90));
                assertThat(refused.exitCode()).as(refused.errors()).isEqualTo(1);
                assertThat(refused.errors()).contains("\"sea-lion\" was refused (TEXT_TOO_LONG)", "shorten it");
                Run refusal = labels("set", "sea-lion", "--prompt", "term ".repeat(90), "--json");
                assertThat(refusal.exitCode()).as(refusal.errors()).isEqualTo(1);
                assertThat(refusal.lines()).hasSize(1);
                assertThat(refusal.lines().get(0))
                        .startsWith("{\"changes\":1,\"inForce\":0,\"labels\":")
                        .contains("\"refused\":[{\"id\":\"sea-lion\",\"reason\":\"TEXT_TOO_LONG\",");

                Path exported = directory.resolve("vocabulary.csv");
                assertDone(labels("export", exported.toString()), "2 labels written to");
                Path wanted = Files.writeString(directory.resolve("wanted.csv"), "id,name\nheron,heron\nowl,owl\n");
                assertDone(
                        labels("import", wanted.toString(), "--replace", "--dry-run"),
                        "2 labels in the file: 1 to add, 1 to change, 1 to remove.");
                Run imported = labels("import", wanted.toString(), "--replace", "--json");
                assertDone(imported, "{\"given\":2,\"toAdd\":1,\"toChange\":1,\"toRemove\":1}");
                assertThat(imported.lines().get(1))
                        .matches(
                                "\\{\"changes\":3,\"inForce\":3,\"labels\":2,\"vocabularyEpoch\":\\d+,\"refused\":\\[]}");
                assertThat(labels("export").lines())
                        .containsExactly("id,name,prompts,threshold,state", "heron,heron,,,", "owl,owl,,,");
                assertUsage(labels("remove", "owl", "sea-lion"), "no label \"sea-lion\"; nothing was removed");
                assertDone(labels("remove", "owl", "heron"), "2 changes in force: 0 labels");
            }
            Run unattended = labels("add", "heron", "--wait", "1");
            assertThat(unattended.exitCode()).as(unattended.errors()).isEqualTo(1);
            assertThat(unattended.errors()).contains("not in force within 1 s: is Tagstream running?");
            assertDone(labels("set", "heron", "--name", "bird", "--wait", "0"), "1 change written.");
            assertDone(
                    labels("set", "heron", "--name", "heron", "--wait", "0", "--json"),
                    "{\"changes\":1,\"inForce\":null}");
        }
    }

    @Test
    void shouldLoadTheModelsLabelsAndRemoveALabelThatItWouldRefuse() throws Exception {
        try (TestCluster cluster = TestCluster.start()) {
            configure(cluster.bootstrapServers(), cluster.registryUrl());
            try (CommandProcess run = CommandProcess.start("run", "--config", configuration.toString())) {
                run.awaitNote("the vocabulary has no labels");

                assertDone(labels("import", "--bundle", "--if-empty"), "476 changes in force: 476 labels");
                Run again = labels("import", "--bundle");
                assertDone(again, "476 labels in the bundle: 0 to add, 0 to change, 0 to remove.");
                assertDone(again, "Nothing to change.");

                produce("be\u0007ll");
                assertThat(labels("list").lines()).contains("be\\u0007ll  \"bell\"");
                assertDone(labels("remove", "be\\u0007ll"), "1 change in force: 476 labels");

                assertDone(labels("remove", "dog"), "1 change in force: 475 labels");
                assertDone(labels("import", "--bundle", "--if-empty"), "Nothing to change.");
            }
        }
    }

    @Test
    void shouldSayWhatCannotBeReached() throws Exception {
        configure("127.0.0.1:1", "http://127.0.0.1:1");
        Run run = labels("list");
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(1);
        assertThat(run.errors()).contains("no Kafka cluster answers at 127.0.0.1:1", "check bootstrap.servers");
    }

    /** Writes a label that the command line would refuse. */
    private void produce(String id) throws IOException {
        TagstreamConfig config = new Settings().file(configuration).config();
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            new VocabularyTopic(config, new Contracts(registry))
                    .write(Map.of(id, Label.newBuilder().setName("bell").build()));
        }
    }

    private void configure(String servers, String registry) throws IOException {
        configuration = Files.write(
                directory.resolve("tagstream.properties"),
                List.of(
                        "bootstrap.servers = " + servers,
                        "schema.registry.url = " + registry,
                        "state.dir = " + directory.resolve("state"),
                        "topics.partitions = 2"));
    }

    private Run labels(String command, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("labels", command));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--config", configuration.toString()));
        return CommandProcess.run(all.toArray(String[]::new));
    }

    private static void assertDone(Run run, String beginningOfALine) {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.lines()).isNotEmpty();
        assertThat(run.lines()).anyMatch(line -> line.startsWith(beginningOfALine));
    }

    private static void assertUsage(Run run, String... message) {
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(2);
        assertThat(run.errors()).startsWith("tagstream: ").contains(message);
    }
}
