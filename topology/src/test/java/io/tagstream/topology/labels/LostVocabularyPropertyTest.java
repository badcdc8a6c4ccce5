/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import static io.tagstream.topology.labels.EncoderStage.EMBEDDINGS;
import static io.tagstream.topology.labels.EncoderStage.LABELS;
import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Label;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Labels are written, removed and refused, topics are compacted, and the encoder is stopped and started; from time to
 * time one of its topics or stores is lost. Whenever the encoder comes to rest, every instance has the labels that the
 * vocabulary's topic gives, and no epoch is lower than an earlier one.
 */
class LostVocabularyPropertyTest {
    private static final int TURNS = 60;
    private static final Duration TWO_LOOKS = Duration.ofSeconds(25);
    private static final List<String> IDS = List.of("ant", "bee", "cat", "dog", "elk", "fox");

    static LongStream seeds() {
        return LongStream.range(0, 150);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void shouldHaveTheLabelsOfTheTopicWhateverIsLost(long seed) {
        Play play = new Play(seed);
        for (int turn = 0; turn < TURNS; turn++) {
            play.turn();
        }
        play.rest();
    }

    private static final class Play {
        private final Random random;
        private final EncoderStage stage =
                new EncoderStage(new FakeTopics(), SchemaRegistries.inMemory(), FakeModelRuntime.manual(1));
        private final StringBuilder told = new StringBuilder();

        /** Names of the labels in force, by id, once the encoder has come to rest. */
        private final Map<String, String> expected = new TreeMap<>();

        /** Ids that the topic has a record of; kept only for a recreated topic. */
        private final Set<String> met = new HashSet<>();

        /**
         * Labels that were in force when the topic was recreated; null once the new topic has become the vocabulary.
         */
        private Map<String, String> before;

        private boolean running = true;
        private boolean looking;
        private EncoderStage.Instance instance;
        private long epoch = -1;

        Play(long seed) {
            random = new Random(seed);
            told.append("seed ").append(seed).append(':');
            stage.start();
            instance = stage.new Instance();
        }

        void turn() {
            switch (random.nextInt(21)) {
                case 0, 1, 2, 3, 4 -> put(anId(), "name " + random.nextInt(4));
                case 5, 6 -> remove(anId());
                case 7 -> refuse(anId());
                case 8 -> stop();
                case 9, 10 -> start();
                case 11 -> compactEmbeddings();
                case 12 -> compactLabels();
                case 13 -> garbage(random.nextInt(4) == 0 ? "" : anId());
                case 14 -> loseStores();
                case 15 -> loseEmbeddings();
                case 16 -> createLabelsAnew();
                case 17 -> loseAllButLabels();
                case 18, 19 -> rest();
                default -> pass();
            }
        }

        private String anId() {
            return IDS.get(random.nextInt(IDS.size()));
        }

        private void put(String id, String name) {
            tell("put " + id + " " + name);
            takeNewTopic(id);
            expected.put(id, name);
            stage.put(id, Label.newBuilder().setName(name).build());
        }

        private void remove(String id) {
            tell("remove " + id);
            takeNewTopic(id);
            expected.remove(id);
            stage.put(id, null);
        }

        private void refuse(String id) {
            tell("refuse " + id);
            takeNewTopic(id);
            stage.put(id, Label.newBuilder().setName(" ").build());
        }

        /**
         * From its first record on, a new topic is the vocabulary; of the old labels, those that it has a record of
         * stay.
         */
        private void takeNewTopic(String id) {
            if (before == null) {
                return;
            }
            expected.keySet().retainAll(met);
            if (met.add(id) && before.containsKey(id)) {
                expected.put(id, before.get(id));
            }
        }

        /** Notes that the encoder has had time to read a new topic. */
        private void read() {
            if (!met.isEmpty()) {
                before = null;
            }
        }

        private void stop() {
            if (running) {
                tell("stop");
                stage.stop();
                running = false;
            }
        }

        private void start() {
            if (!running) {
                tell("start");
                stage.start();
                running = true;
                looking = false;
                read();
            }
        }

        private void compactEmbeddings() {
            tell("compact embeddings");
            stage.topics.compact(EMBEDDINGS);
        }

        private void compactLabels() {
            if (before == null && running) { // or a refused label would replace one that nobody has read yet
                tell("compact labels");
                stage.topics.compact(LABELS);
            }
        }

        private void garbage(String id) {
            tell("garbage " + id);
            stage.writeEmbedding(id, new byte[] {9, 9});
            looking = true;
        }

        private void loseStores() {
            rest();
            stop();
            boolean labels = random.nextBoolean();
            tell("lose " + (labels ? "labels" : "progress"));
            if (labels) {
                stage.loseLabels();
            } else {
                stage.loseProgress();
            }
            start();
        }

        private void loseEmbeddings() {
            rest();
            tell("lose embeddings");
            stage.topics.createAnew(EMBEDDINGS);
            instance = stage.new Instance(); // Kafka Streams restarts when one of its topics is another
            looking = true;
            if (random.nextBoolean()) {
                rest();
            }
        }

        private void loseAllButLabels() {
            rest();
            if (before != null) {
                return; // nothing would be left of the labels in force
            }
            stop();
            tell("lose all but labels");
            stage.loseLabels();
            stage.loseProgress();
            stage.topics.createAnew(EMBEDDINGS);
            expected.clear();
            expected.putAll(stage.labelsOfTheTopic());
            start();
            instance = stage.new Instance();
        }

        private void createLabelsAnew() {
            rest();
            boolean noticed = stage.topics.end(LABELS) > 0; // its first record has an offset that was already taken
            if (!noticed || random.nextBoolean()) {
                stop();
            }
            tell("create labels anew");
            stage.topics.createAnew(LABELS);
            before = new TreeMap<>(expected);
            met.clear();
        }

        private void pass() {
            tell("pass");
            if (running) {
                stage.pass(Duration.ofMillis(40));
                read();
            }
        }

        void rest() {
            start();
            tell("rest");
            stage.pass(looking || before != null ? TWO_LOOKS : Duration.ofMillis(400));
            looking = false;
            read();
            for (EncoderStage.Instance each : List.of(instance, stage.new Instance())) {
                Map<String, String> names = new TreeMap<>();
                assertThat(each.isReady()).as(told.toString()).isTrue();
                for (VocabularyLabel label : each.snapshot().labels()) {
                    names.put(label.id(), label.name());
                }
                assertThat(names).as(told.toString()).isEqualTo(expected);
                assertThat(each.epoch()).as(told.toString()).isGreaterThanOrEqualTo(epoch);
            }
            assertThat(instance.epoch()).as(told.toString()).isEqualTo(stage.new Instance().epoch());
            epoch = instance.epoch();
        }

        private void tell(String what) {
            told.append("\n  ").append(what);
        }
    }
}
