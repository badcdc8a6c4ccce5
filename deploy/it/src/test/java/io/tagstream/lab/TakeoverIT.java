/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.tagstream.avro.Tag;
import io.tagstream.cluster.failures.FailedImage;
import io.tagstream.cluster.failures.FailureReader;
import io.tagstream.cluster.failures.Replay;
import io.tagstream.cluster.failures.Resubmission;
import io.tagstream.cluster.failures.Selection;
import io.tagstream.cluster.topics.Startup;
import io.tagstream.it.InRun;
import io.tagstream.it.TestCluster;
import io.tagstream.lab.Fixture.Submission;
import io.tagstream.lab.History.Result;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.io.Reader;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** Starts this version on the clusters that earlier versions left in the middle of their work ({@link FixtureScene}). */
@InRun
class TakeoverIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Selection EVERYTHING = new Selection(Set.of(), Set.of(), Optional.empty());

    @TempDir
    Path directory;

    /** The names of the fixtures, in the order of their age. */
    static List<String> versions() throws IOException, URISyntaxException {
        try (Stream<Path> files = Files.list(fixtures())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".jsonl.gz"))
                    .map(name -> name.substring(0, name.indexOf(".jsonl.gz")))
                    .sorted()
                    .toList();
        }
    }

    private static Path fixtures() throws URISyntaxException {
        return Path.of(TakeoverIT.class.getResource("/takeover").toURI());
    }

    @ParameterizedTest
    @MethodSource("versions")
    void shouldTakeOverWhatAnEarlierVersionLeft(String version, TestReporter reporter) throws Exception {
        Fixture fixture = Fixture.read(fixtures().resolve(version + ".jsonl.gz"));
        Properties statement = statement(version);
        try (TestCluster cluster = TestCluster.start();
                Errors errors = new Errors()) {
            FixtureLoader.load(fixture, cluster);
            Map<String, Object> settings = new HashMap<>(FixtureScene.settings(cluster));
            settings.put(TagstreamConfig.STATE_DIR, directory.toString());
            TagstreamConfig config = new TagstreamConfig(settings);
            try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings());
                    WatchedModel model = new WatchedModel(new WordModel(config), false)) {
                Startup.prepare(config, registry, () -> false);
                Contracts contracts = new Contracts(registry);
                Instant began = Instant.now();
                try (Tagstream tagstream = new Tagstream(config, model, registry)) {
                    tagstream.start();
                    awaitRest(config, contracts, fixture);
                    reporter.publishEntry(
                            "takeover",
                            "%s; at rest after %d ms; known images read again %d, labels encoded %d"
                                    .formatted(
                                            FixtureScene.summary(fixture),
                                            Duration.between(began, Instant.now())
                                                    .toMillis(),
                                            model.readAgain(),
                                            model.encodedLabels()));

                    History history = new HistoryReader(config, contracts).read(-1, false);
                    assertThat(Checker.check(history))
                            .as("nothing is lost, doubled, out of order or tagged wrongly")
                            .isEmpty();
                    assertThat(outcomes(history)).isEqualTo(expectedOutcomes(fixture));
                    assertThat(labels(history)).isEqualTo(expectedLabels(fixture));
                    assertThat(tagstream.images().progress().total())
                            .as("known images")
                            .isEqualTo(fixture.images().size());
                    assertThat(Map.of(
                                    "read.again", // of those without features, some were submitted again first
                                    Math.max(
                                            0,
                                            model.readAgain() - fixture.head().withoutFeatures()),
                                    "labels.encoded",
                                    model.encodedLabels()
                                            - (long) fixture.head().unreadLabels()))
                            .as(
                                    "what the takeover costs: state it in %s.properties and on the operations page",
                                    version)
                            .isEqualTo(Map.of(
                                    "read.again", number(statement, "read.again"),
                                    "labels.encoded", number(statement, "labels.encoded")));

                    replayEverything(config, contracts, fixture, history);
                }
                assertThat(Shape.of(config, registry, model)
                                .differences(fixture.head().shape()))
                        .as(
                                "why both versions cannot run side by side: state it in %s.properties and on the"
                                        + " operations page",
                                version)
                        .isEqualTo(list(statement, "differences"));
            }
            assertThat(errors.lines())
                    .as("errors in the log")
                    .allSatisfy(line ->
                            assertThat(list(statement, "errors")).as(line).anyMatch(line::matches));
        }
    }

    /** What this version states of taking over from an earlier one. */
    private static Properties statement(String version) throws IOException, URISyntaxException {
        Properties statement = new Properties();
        try (Reader reader =
                Files.newBufferedReader(fixtures().resolve(version + ".properties"), StandardCharsets.UTF_8)) {
            statement.load(reader);
        }
        return statement;
    }

    private static long number(Properties statement, String key) {
        return Long.parseLong(statement.getProperty(key));
    }

    private static List<String> list(Properties statement, String key) {
        String value = statement.getProperty(key).strip();
        return value.isEmpty() ? List.of() : List.of(value.split("\\s*;\\s*", -1));
    }

    private static void awaitRest(TagstreamConfig config, Contracts contracts, Fixture fixture)
            throws InterruptedException {
        long vocabularyEnd = fixture.newestOffset(config.topic(TagstreamConfig.LABELS_TOPIC));
        try (Progress progress = new Progress(config, contracts)) {
            assertThat(Awaiting.that(
                            PATIENCE,
                            () -> progress.isAtRest(fixture.submissions().size(), vocabularyEnd, 0)))
                    .as("every submission has an outcome, and every known image follows the vocabulary")
                    .isTrue();
        }
    }

    private static Map<Long, String> outcomes(History history) {
        return history.outcomes().stream()
                .filter(outcome -> outcome.sequence() != History.NOBODYS)
                .collect(Collectors.toMap(
                        History.Outcome::sequence, outcome -> name(outcome.result()), (one, other) -> one + other));
    }

    private static String name(Result result) {
        if (result instanceof Result.Failed failed) {
            return failed.failure().getReason().name();
        }
        if (result instanceof Result.Tagged) {
            return "TAGS";
        }
        return result instanceof Result.Deleted ? "DELETION" : "DEAD_LETTER";
    }

    private static Map<Long, String> expectedOutcomes(Fixture fixture) {
        return fixture.submissions().stream().collect(Collectors.toMap(Submission::sequence, Submission::outcome));
    }

    /** Each known image's labels, in order. */
    private static Map<String, List<String>> labels(History history) {
        Map<String, List<String>> labels = new TreeMap<>();
        for (History.Outcome outcome : history.outcomes()) {
            if (outcome.result() instanceof Result.Tagged tagged) {
                labels.put(
                        outcome.id(),
                        tagged.event().getTags().stream().map(Tag::getLabelId).toList());
            } else if (outcome.result() instanceof Result.Deleted) {
                labels.remove(outcome.id());
            }
        }
        return labels;
    }

    private static Map<String, List<String>> expectedLabels(Fixture fixture) {
        return new TreeMap<>(
                fixture.images().stream().collect(Collectors.toMap(Fixture.Image::id, Fixture.Image::labels)));
    }

    /** Submits failures and dead letters again, which then fail again, from their original records. */
    private static void replayEverything(TagstreamConfig config, Contracts contracts, Fixture fixture, History before)
            throws Exception {
        List<String> notes = new CopyOnWriteArrayList<>();
        List<Replay.Item> replayed = new ArrayList<>();
        try (FailureReader reader = new FailureReader(config, contracts, notes::add);
                Resubmission resubmission = new Resubmission(config, contracts)) {
            assertThat(reader.all(EVERYTHING))
                    .extracting(FailedImage::imageId)
                    .containsExactlyInAnyOrderElementsOf(idsOf(
                            fixture,
                            outcome -> !outcome.equals("TAGS")
                                    && !outcome.equals("DELETION")
                                    && !outcome.equals("DEAD_LETTER")));
            Replay images = Replay.ofImages(reader, resubmission, EVERYTHING, notes::add);
            Replay letters = Replay.ofDeadLetters(reader, resubmission, EVERYTHING, notes::add);
            assertThat(images.obstructed() + letters.obstructed()).isZero();
            assertThat(images.items()).isNotEmpty();
            assertThat(letters.items())
                    .as("images, and a label")
                    .hasSize(idsOf(fixture, outcome -> outcome.equals("DEAD_LETTER"))
                                    .size()
                            + 1);
            replayed.addAll(images.items());
            replayed.addAll(letters.items());
            replayed.forEach(item -> item.submission().get().await());
        }
        int expected = before.outcomes().size() + replayed.size() - 1; // a label's dead letter is nobody's outcome
        HistoryReader reader = new HistoryReader(config, contracts);
        List<Integer> found = new ArrayList<>();
        assertThat(Awaiting.that(PATIENCE, () -> {
                    found.add(outcomesNow(reader));
                    return found.get(found.size() - 1) >= expected;
                }))
                .as("outcomes %s; %s", found, notes)
                .isTrue();
        assertThat(outcomesNow(reader)).isEqualTo(expected);
    }

    private static int outcomesNow(HistoryReader reader) {
        try {
            return reader.read(-1, false).outcomes().size();
        } catch (Exception e) {
            throw new IllegalStateException("Cannot read outcomes", e);
        }
    }

    private static List<String> idsOf(Fixture fixture, Function<String, Boolean> outcomes) {
        return fixture.submissions().stream()
                .filter(submission -> outcomes.apply(submission.outcome()))
                .map(submission -> Objects.toString(submission.id()))
                .sorted(Comparator.naturalOrder())
                .toList();
    }

    /** What an instance logs as an error; the broker in this JVM logs errors of its own when the machine is busy. */
    private static final class Errors extends AppenderBase<ILoggingEvent> implements AutoCloseable {
        private static final List<String> INSTANCE =
                List.of("io.tagstream.", "org.apache.kafka.streams.", "org.apache.kafka.clients.");

        private final List<String> lines = new CopyOnWriteArrayList<>();
        private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

        Errors() {
            start();
            root.addAppender(this);
        }

        @Override
        protected void append(ILoggingEvent event) {
            if (event.getLevel().isGreaterOrEqual(Level.ERROR)
                    && INSTANCE.stream().anyMatch(event.getLoggerName()::startsWith)) {
                lines.add(event.getLoggerName() + ": " + event.getFormattedMessage());
            }
        }

        List<String> lines() {
            return lines;
        }

        @Override
        public void close() {
            root.detachAppender(this);
            stop();
        }
    }
}
