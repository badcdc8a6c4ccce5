/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InFull;
import io.tagstream.local.broker.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** After its topic was recreated, a vocabulary's offsets begin again, but its epochs go on. */
@InFull
class LocalRecreatedVocabularyIT {
    private static final int DEADLINE_SECONDS = 60;

    @TempDir
    Path directory;

    @Test
    void shouldTagKnownImagesUnderTheNewVocabulary() throws Exception {
        String numbered = IntStream.range(0, 20)
                .mapToObj(label -> "label-%d,number %d".formatted(label, label))
                .collect(Collectors.joining("\n", "id,name\nfeline,cat\n", "\n"));
        assertThat(firstTag(tag(numbered))).isEqualTo("feline");

        recreateVocabulary();

        assertThat(firstTag(tag("id,name\npet,cat\ndog,dog\n"))).isEqualTo("pet");
    }

    private Run tag(String vocabulary) throws Exception {
        Path labels = Files.writeString(directory.resolve("labels.csv"), vocabulary);
        Run run = CommandProcess.run(
                "local",
                CommandProcess.SAMPLES.resolve("cat.jpg").toString(),
                "--once",
                "--json",
                "--data-dir",
                directory.resolve("data").toString(),
                "--vocabulary",
                labels.toString());
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return run;
    }

    private static String firstTag(Run run) throws IOException {
        return run.byImageId().get("cat.jpg").get("tags").get(0).get("labelId").asText();
    }

    private void recreateVocabulary() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("data/kafka"), 0);
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            String topic = "label-vocabulary";
            admin.deleteTopics(List.of(topic)).all().get(DEADLINE_SECONDS, TimeUnit.SECONDS);
            NewTopic again =
                    new NewTopic(topic, Optional.of(1), Optional.empty()).configs(Map.of("cleanup.policy", "compact"));
            admin.createTopics(List.of(again)).all().get(DEADLINE_SECONDS, TimeUnit.SECONDS);
        }
    }
}
