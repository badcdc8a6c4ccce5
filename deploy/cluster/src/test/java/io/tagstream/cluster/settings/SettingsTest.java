/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void writeFile() throws IOException {
        file = folder.resolve("tagstream.properties");
        Files.writeString(file, """
                bootstrap.servers = kafka:9092
                schema.registry.url = http://registry:8081
                images.topic = from-file
                tags.topic = from-file
                labels.topic = from-file
                """);
    }

    @Test
    void shouldLetEachLayerOverrideTheOneBefore() {
        TagstreamConfig config = new Settings()
                .file(file)
                .environment(Map.of(
                        "TAGSTREAM_IMAGES_TOPIC", "from-environment", "TAGSTREAM_TAGS_TOPIC", "from-environment"))
                .flags(Map.of("tags.topic", "from-flag"))
                .config();

        assertThat(config.topic(TagstreamConfig.LABELS_TOPIC)).isEqualTo("from-file");
        assertThat(config.topic(TagstreamConfig.IMAGES_TOPIC)).isEqualTo("from-environment");
        assertThat(config.topic(TagstreamConfig.TAGS_TOPIC)).isEqualTo("from-flag");
    }

    @Test
    void shouldBeginWithTheDefaultsOfTheInstallation() throws Exception {
        Files.writeString(folder.resolve("defaults.properties"), "labels.topic = installed\ntags.topic = installed");
        String before = System.getProperty("tagstream.home");
        System.setProperty("tagstream.home", folder.toString());
        try {
            TagstreamConfig config = new Settings()
                    .flags(required())
                    .flags(Map.of("tags.topic", "from-flag"))
                    .config();

            assertThat(config.topic(TagstreamConfig.LABELS_TOPIC)).isEqualTo("installed");
            assertThat(config.topic(TagstreamConfig.TAGS_TOPIC)).isEqualTo("from-flag");
        } finally {
            if (before == null) {
                System.clearProperty("tagstream.home");
            } else {
                System.setProperty("tagstream.home", before);
            }
        }
    }

    private static Map<String, String> required() {
        return Map.of("bootstrap.servers", "kafka:9092", "schema.registry.url", "http://registry:8081");
    }

    @Test
    void shouldHaveAVariableOfItsOwnForEveryKey() {
        Set<String> variables = new HashSet<>();
        for (String key : TagstreamConfig.definition().names()) {
            assertThat(variables.add(Settings.variable(key))).as(key).isTrue();
        }
    }

    @Test
    void shouldTakeHyphensAndPassThroughKeysFromTheEnvironment() {
        TagstreamConfig config = new Settings()
                .file(file)
                .environment(Map.of(
                        "TAGSTREAM_TAG_CHANGES_TOPIC", "changes",
                        "TAGSTREAM_KAFKA_SASL_MECHANISM", "PLAIN",
                        "TAGSTREAM_JAVA_OPTS", "-Xmx1g",
                        "PATH", "/bin"))
                .config();

        assertThat(config.topic(TagstreamConfig.TAG_CHANGES_TOPIC)).isEqualTo("changes");
        assertThat(config.kafkaSettings()).containsEntry("sasl.mechanism", "PLAIN");
    }

    @Test
    void shouldNameAnUnknownKeyWhereItWasSetAndTheNearestKnownOne() throws IOException {
        Files.writeString(file, "image.topic = typo\n", StandardOpenOption.APPEND);

        assertRefused(new Settings().file(file), "image.topic", "images.topic", file.toString());
    }

    @Test
    void shouldNameAnUnknownVariable() {
        assertRefused(
                new Settings().file(file).environment(Map.of("TAGSTREAM_IMAGE_TOPIC", "typo")),
                "image.topic",
                "environment variable TAGSTREAM_IMAGE_TOPIC");
    }

    @Test
    void shouldNameTheKeyAndValueThatAreInvalid() {
        assertRefused(
                new Settings().file(file).flags(Map.of("topics.partitions", "many")),
                "topics.partitions",
                "many",
                "--set");
        assertRefused(
                new Settings().file(file).flags(Map.of("tags.min.score", "2")), "tags.min.score", "2.0", "[0, 1]");
    }

    @Test
    void shouldNameAKeyOfThisRoomThatIsInvalid() {
        assertRefused(
                new Settings()
                        .flags(Map.of(
                                "bootstrap.servers",
                                "k:1",
                                "schema.registry.url",
                                "http://r:1",
                                "topics.partitions",
                                "0")),
                "topics.partitions",
                "0");
    }

    @Test
    void shouldNameARequiredKeyThatIsMissing() {
        assertRefused(new Settings().flags(Map.of("schema.registry.url", "http://registry:8081")), "bootstrap.servers");
    }

    @Test
    void shouldNameAFileThatDoesNotExist() {
        assertThatExceptionOfType(OperatorException.class)
                .isThrownBy(() -> new Settings().file(folder.resolve("none.properties")))
                .withMessageContaining("none.properties does not exist");
    }

    private static void assertRefused(Settings settings, String... messageParts) {
        assertThatExceptionOfType(OperatorException.class)
                .isThrownBy(settings::config)
                .satisfies(failure -> {
                    assertThat(failure).hasMessageContainingAll(messageParts);
                    assertThat(failure.kind()).isEqualTo(OperatorException.Kind.INVALID);
                });
    }
}
