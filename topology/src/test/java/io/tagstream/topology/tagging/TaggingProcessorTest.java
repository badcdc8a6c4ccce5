/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.avro.Cause;
import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.avro.state.Coverage;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.SweepState;
import io.tagstream.avro.state.TaskProgress;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.ModelRuntime;
import io.tagstream.model.Priority;
import io.tagstream.schemas.StateSerde;
import io.tagstream.schemas.UnknownStateException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.vocabulary.VocabularyProcessor;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.errors.TaskMigratedException;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedForward;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedPunctuator;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The processor's lives: what happens to a task beyond what a topology driver can do to it. */
class TaggingProcessorTest {
    private final Contracts contracts = new Contracts(SchemaRegistries.inMemory());
    private final FakeModelRuntime model = FakeModelRuntime.manual(100);
    private final Vocabulary vocabulary = new Vocabulary(
            "label-embeddings", model.description(), contracts.labelEmbedding().deserializer());
    private final MockProcessorContext<Object, byte[]> context = new MockProcessorContext<>();
    private final KeyValueStore<Long, byte[]> pending =
            store(TaggingTopology.PENDING_STORE, Serdes.Long(), Serdes.ByteArray());
    private final KeyValueStore<String, ImageMeta> metas =
            store(TaggingTopology.IMAGE_META_STORE, Serdes.String(), new StateSerde<>(ImageMeta.class));
    private final KeyValueStore<String, TaskProgress> progress =
            store(TaggingTopology.TASK_PROGRESS_STORE, Serdes.String(), new StateSerde<>(TaskProgress.class));
    private final Inflow inflow = new Inflow();
    private final MeterRegistry metrics = new SimpleMeterRegistry();
    private final TaggingProcessor processor = processor(vocabulary, model);

    @BeforeEach
    void coverTheVocabulary() {
        context.setCurrentSystemTimeMs(1_700_000_000_000L);
        store(TaggingTopology.IMAGE_FEATURES_STORE, Serdes.Long(), Serdes.ByteArray());
        store(TaggingTopology.SWEEP_STORE, Serdes.String(), new StateSerde<>(SweepState.class));
        vocabulary.require("topic-1", -1, 1);
        mark(10);
    }

    @Test
    void shouldResubmitWhatIsPendingInTheOrderOfAcceptance() {
        LongStream.of(300, 7, 20)
                .forEach(sequence -> pending.put(sequence, image("image-" + sequence, "fake:" + sequence)));
        processor.init(context);

        assertThat(model.waiting()).isEqualTo(3);
        model.complete(3);
        punctuate();
        assertThat(forwardedIds()).containsExactly("image-7", "image-20", "image-300");
        assertThat(pending.approximateNumEntries()).isZero();
    }

    @Test
    void shouldNotReuseThePlaceOfAPendingImage() {
        pending.put(0L, image("old", "fake:old"));
        processor.init(context);
        processor.process(new Record<>("new", image("new", "fake:new"), 0));

        assertThat(pending.get(0L)).isEqualTo(image("old", "fake:old"));
        assertThat(pending.get(1L)).isEqualTo(image("new", "fake:new"));
    }

    @Test
    void shouldDropCompletionsOfALifeThatEnded() {
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        processor.close();
        processor.init(context); // revived: the same object, the same store
        assertThat(model.waiting())
                .as("the first life's submission and the second's")
                .isEqualTo(2);

        model.complete(1); // this one belongs to the first life
        punctuate();
        assertThat(forwardedIds()).isEmpty();
        assertThat(pending.get(0L)).isNotNull();

        model.complete(1);
        punctuate();
        assertThat(forwardedIds()).containsExactly("a");
        assertThat(pending.get(0L)).isNull();
    }

    @Test
    void shouldNotForwardFromAPunctuatorOfALifeThatEnded() {
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        model.complete(1);
        processor.close();

        assertThat(context.scheduledPunctuators()).hasSize(2).allMatch(CapturedPunctuator::cancelled);
    }

    @Test
    void shouldPunctuateOnlyWhileAnImageOwesItsOutcome() {
        processor.init(context);
        assertThat(forwarders()).isEmpty();
        for (int i = 0; i < 2; i++) {
            processor.process(new Record<>("a", image("a", "fake:a"), 0));
            assertThat(forwarders()).hasSize(i + 1);
            model.complete(1);
            punctuate();
            assertThat(forwarders()).allMatch(CapturedPunctuator::cancelled);
        }
        assertThat(forwardedIds()).containsExactly("a", "a");
    }

    @Test
    void shouldLeaveImagesPendingWhoseSubmissionIsCancelled() {
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        processor.close();

        assertThat(context.forwarded()).isEmpty();
        assertThat(pending.get(0L)).isNotNull();
    }

    @Test
    void shouldWaitForAVocabularyAsNewAsTheTaskHasUsed() {
        progress.put("progress", new TaskProgress(20L, 1L));
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        punctuate();
        assertThat(model.waiting()).as("epoch 10 is older than 20").isZero();
        assertThat(waitingPartitions()).isEqualTo(1);

        mark(20);
        punctuate();
        assertThat(waitingPartitions()).isZero();
        model.complete(1);
        punctuate();
        assertThat(event(0).getVocabularyEpoch()).isEqualTo(20);
    }

    @Test
    void shouldWaitForAVocabularyAsNewAsItsImagesHaveFollowedIfItsProgressIsLost() {
        KeyValueStore<String, SweepState> sweep = context.getStateStore(TaggingTopology.SWEEP_STORE);
        sweep.put(
                "sweep",
                new SweepState(List.of(new Coverage(null, 20L)), "fake fake-1 all", null, 0L, 0L, 0L, 0L, Map.of()));
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        punctuate();
        assertThat(model.waiting()).as("epoch 10 is older than 20").isZero();
        assertThat(waitingPartitions()).isEqualTo(1);
    }

    @Test
    void shouldWaitForAControlRecordAsNewAsTheTaskHasUsed() {
        progress.put("progress", new TaskProgress(5L, 2L));
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        punctuate();

        assertThat(model.waiting()).as("revision 1 is older than 2").isZero();
        assertThat(pending.get(0L)).isNotNull();
        assertThat(waitingPartitions()).isEqualTo(1);
        processor.close();
        assertThat(waitingPartitions()).as("it has gone elsewhere").isZero();
    }

    @Test
    void shouldSayThatItWaitsBeforeThereIsAnImage() {
        mark(vocabulary, 11, 0, rules(FakeModelRuntime.describe("another bundle", "1", 1, "text-1"), 2));
        processor.init(context);

        assertThat(waitingPartitions()).isEqualTo(1);
    }

    private double waitingPartitions() {
        return metrics.get("tagstream.tagging.waiting").gauges().stream()
                .mapToDouble(Gauge::value)
                .sum();
    }

    @Test
    void shouldDeleteAnImageWhileItWaits() {
        progress.put("progress", new TaskProgress(20L, 1L));
        processor.init(context);
        processor.process(new Record<>("a", bytes(new PendingImage("a", null, origin(), 0L, List.of(), null)), 0));
        punctuate();

        assertThat(forwardedIds())
                .as("a deletion needs neither vocabulary nor model")
                .containsExactly("a");
        assertThat(metas.get("a")).isNull();
    }

    @Test
    void shouldRememberTheNewestVocabularyAndModel() {
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        model.complete(1);
        punctuate();

        assertThat(progress.get("progress")).isEqualTo(new TaskProgress(10L, 1L));
    }

    @Test
    void shouldReadKnownImagesAgainWithANewModelAndSayWhy() {
        add(vocabulary, "cat", 11);
        mark(vocabulary, 11, 1);
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:dog"), 0));
        processor.process(new Record<>("b", image("b", "fake:cat"), 0));
        model.complete(2);
        punctuate();
        assertThat(event(0).getTags()).isEmpty();
        assertThat(event(1).getTags()).hasSize(1);
        processor.close();
        context.resetForwards();

        FakeModelRuntime newer = FakeModelRuntime.manual(
                FakeModelRuntime.describing("fake-2", 2, "text-1")
                        .defaultThreshold(FakeModelRuntime.OTHERS_SCORE - 0.05) // every image has every label
                        .build(),
                100);
        Vocabulary followed = new Vocabulary(
                "label-embeddings",
                newer.description(),
                contracts.labelEmbedding().deserializer());
        followed.require("topic-1", -1, 1);
        add(followed, "cat", 11);
        mark(followed, 12, 1, rules(newer.description(), 2));
        TaggingProcessor next = processor(followed, newer);
        next.init(context);
        punctuate(); // checks
        punctuate(); // submits
        assertThat(newer.waiting())
                .as("features of another model are of no use")
                .isEqualTo(2);
        newer.complete(2);
        punctuate();

        assertThat(forwardedIds()).containsExactly("a", "b");
        for (int i = 0; i < 2; i++) {
            assertThat(event(i).getCause()).isEqualTo(Cause.MODEL_CHANGED);
            assertThat(event(i).getModel().getVersion()).startsWith("fake-2");
            assertThat(event(i).getTags()).extracting(Tag::getLabelId).containsExactly("cat");
        }
        assertThat(List.of("a", "b")).allSatisfy(id -> {
            assertThat(metas.get(id).getModel().getVersion()).startsWith("fake-2");
            assertThat(metas.get(id).getVocabularyEpoch()).isEqualTo(12);
        });
        assertThat(progress.get("progress")).isEqualTo(new TaskProgress(12L, 2L));

        add(followed, "dog", 13);
        mark(followed, 13, 2, rules(newer.description(), 2));
        for (int turn = 0; turn < 3; turn++) { // checks, has them scored, applies the scores
            punctuate();
        }
        assertThat(newer.encodedImages()).as("from the new model's features").isEqualTo(2);
        assertThat(forwardedIds()).containsExactly("a", "b", "a", "b");
        assertThat(event(2).getCause()).isEqualTo(Cause.VOCABULARY_CHANGED);
    }

    @Test
    void shouldScoreAgainWhatLandsUnderAnOlderVocabularyThanItsNeighbour() {
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        processor.process(new Record<>("b", image("b", "fake:b"), 0));
        model.completeSecondUnderNewerVocabularyFirst(() -> mark(11));
        punctuate();
        assertThat(forwardedIds()).containsExactly("b");

        punctuate();
        assertThat(forwardedIds()).containsExactly("b", "a");
        assertThat(model.encodedImages()).as("from its features").isEqualTo(2);
        assertThat(event(0).getVocabularyEpoch()).isEqualTo(11);
        assertThat(event(1).getVocabularyEpoch()).isEqualTo(11);
    }

    @Test
    void shouldMeasureWhatItOwesAndWhatBecameOfIt() {
        pending.put(0L, image("restored", "fake:a"));
        processor.init(context);
        processor.process(new Record<>("b", image("b", "fail:CORRUPT_IMAGE"), 0));
        processor.process(new Record<>("c", bytes(new PendingImage("c", null, origin(), 0L, List.of(), null)), 0));
        assertThat(metrics.get("tagstream.tagging.pending").gauge().value()).isEqualTo(3);
        assertThat(metrics.get("tagstream.tagging.pending.restored").counter().count())
                .isEqualTo(1);
        assertThat(metrics.get("tagstream.tagging.pending.age").gauge().value()).isPositive();

        model.complete(2);
        punctuate();
        assertThat(metrics.get("tagstream.tagging.pending").gauge().value()).isZero();
        assertThat(metrics.get("tagstream.tagging.pending.age").gauge().value()).isZero();
        for (String outcome : List.of("tagged", "failed", "deleted")) {
            assertThat(metrics.get("tagstream.tagging.outcomes")
                            .tag("outcome", outcome)
                            .counter()
                            .count())
                    .as(outcome)
                    .isEqualTo(1);
        }
        assertThat(metrics.get("tagstream.tagging.latency").timer().count()).isEqualTo(3);
        assertThat(metrics.get("tagstream.tagging.stage")
                        .tag("stage", "runtime")
                        .timer()
                        .count())
                .as("a deletion needs no runtime")
                .isEqualTo(2);
        assertThat(metrics.get("tagstream.vocabulary.epoch").gauge().value()).isEqualTo(10);
    }

    @Test
    void shouldHoldItsInputBackWhileItOwesAsMuchAsItMay() {
        context.setRecordMetadata("images", 5, 0);
        processor.init(context);
        for (int i = 0; i < 3; i++) {
            assertThat(inflow.held()).isZero();
            processor.process(new Record<>("a", image("image-" + i, "fake:a"), 0));
        }
        assertThat(inflow.held()).isEqualTo(1);
        processor.process(new Record<>("a", image("polled before", "fake:a"), 0));
        model.complete(1);
        punctuate();
        assertThat(inflow.held()).as("3 are still owed").isEqualTo(1);
        model.complete(1);
        punctuate();
        assertThat(inflow.held()).isZero();
    }

    @Test
    void shouldHoldItsInputBackWhileItOwesAsManyBytesAsItMay() {
        context.setRecordMetadata("images", 5, 0);
        processor.init(context);
        processor.process(new Record<>("a", image("a", "data:," + "x".repeat(1_000)), 0));
        assertThat(inflow.held()).isEqualTo(1);
        processor.close();
        assertThat(inflow.held()).as("the task has gone elsewhere").isZero();
    }

    @Test
    void shouldOweNothingOnceItsTaskIsGone() {
        processor.init(context);
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        processor.close();
        assertThat(metrics.get("tagstream.tagging.pending").gauge().value()).isZero();
    }

    @Test
    void shouldFailAnImageWhoseOutcomeCannotBeMade() {
        assertFails(
                runtime((request, labels) -> {
                    ImageScores<VocabularySnapshot> incomplete =
                            new ImageScores<>(labels.get(), new float[0], new ImageFeatures(new byte[0]), null, 1, 1);
                    return Optional.of(CompletableFuture.completedFuture(incomplete));
                }),
                ImageFailureReason.INTERNAL_ERROR,
                "Cannot make an outcome");
    }

    @Test
    void shouldFailAnImageThatTheRuntimeDoesNotTake() {
        assertFails(
                runtime((request, labels) -> {
                    throw new IllegalArgumentException("no such request");
                }),
                ImageFailureReason.MODEL_ERROR,
                "no such request");
    }

    private void assertFails(ModelRuntime runtime, ImageFailureReason reason, String message) {
        TaggingProcessor failing = new TaggingProcessor(
                new TaggingContext(TestConfig.with(), contracts, vocabulary, runtime, metrics, inflow));
        failing.init(context);
        failing.process(new Record<>("a", image("a", "fake:a"), 0));
        failing.process(new Record<>("a", bytes(new PendingImage("a", null, origin(), 0L, List.of(), null)), 0));
        punctuate();

        assertThat(context.forwarded(TaggingTopology.IMAGE_FAILURES_SINK))
                .singleElement()
                .satisfies(failed -> {
                    ImageFailure failure = contracts
                            .imageFailure()
                            .deserializer()
                            .deserialize("", failed.record().value());
                    assertThat(failure.getReason()).isEqualTo(reason);
                    assertThat(failure.getMessage()).contains(message);
                });
        assertThat(forwardedIds()).as("the deletion behind it").containsExactly("a");
        assertThat(pending.approximateNumEntries()).isZero();
    }

    @Test
    void shouldLetKafkasExceptionsPassAndKeepTheImagePending() {
        processor.init(fenced());
        processor.process(new Record<>("a", image("a", "fake:a"), 0));
        model.complete(1);

        assertThatThrownBy(this::punctuate).isInstanceOf(TaskMigratedException.class);
        assertThat(pending.get(0L)).isNotNull();
        assertThat(context.forwarded()).isEmpty();
    }

    /** A context whose task has moved on. */
    @SuppressWarnings("unchecked")
    private ProcessorContext<Object, byte[]> fenced() {
        return (ProcessorContext<Object, byte[]>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ProcessorContext.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("forward")) {
                        throw new TaskMigratedException("fenced");
                    }
                    return method.invoke(context, arguments);
                });
    }

    @Test
    void shouldPutAsideWhatItCannotReadAndGoOn() {
        pending.put(3L, new byte[] {1, 2, 3});
        pending.put(4L, image("a", "fake:a"));
        processor.init(context);
        context.setRecordMetadata("tagstream-images-repartition", 0, 17);
        processor.process(new Record<>("b", new byte[] {4, 5, 6}, 0));
        model.complete(1);
        punctuate();

        assertThat(forwardedIds()).containsExactly("a");
        List<CapturedForward<?, ? extends byte[]>> letters =
                List.copyOf(context.forwarded(TaggingTopology.TAGGING_DEAD_LETTERS_SINK));
        assertThat(letters.get(0).record().value()).containsExactly(4, 5, 6);
        assertThat(letters.get(1).record().value()).containsExactly(1, 2, 3);
        assertThat(letters)
                .extracting(
                        letter -> DeadLetters.reason(letter.record().headers()).position())
                .containsExactly(
                        "tagstream-images-repartition-0@17", context.applicationId() + "-pending-changelog-0@?");
        assertThat(pending.approximateNumEntries()).isZero();
    }

    @Test
    void shouldLeaveWhatANewerVersionWroteToIt() {
        byte[] newer = image("a", "fake:a");
        newer[2] ^= 1; // written with another schema
        pending.put(0L, newer);

        assertThatThrownBy(() -> processor.init(context))
                .isInstanceOf(UnknownStateException.class)
                .hasMessageContaining("newer version");
        assertThat(pending.get(0L)).isEqualTo(newer);
    }

    private interface Submission {
        Optional<CompletableFuture<ImageScores<VocabularySnapshot>>> trySubmit(
                ImageRequest request, Supplier<VocabularySnapshot> labels);
    }

    private ModelRuntime runtime(Submission submission) {
        return new ModelRuntime() {
            @Override
            public ModelDescription description() {
                return model.description();
            }

            @Override
            public LabelVector encodeLabel(LabelText text) throws LabelTextException {
                return model.encodeLabel(text);
            }

            @Override
            public boolean isSaturated() {
                return model.isSaturated();
            }

            @Override
            @SuppressWarnings("unchecked") // snapshots are the only labels here
            public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
                    ImageRequest request, Supplier<L> labels) {
                return (Optional<CompletableFuture<ImageScores<L>>>)
                        (Optional<?>) submission.trySubmit(request, (Supplier<VocabularySnapshot>) labels);
            }

            @Override
            public Optional<CompletableFuture<float[][]>> tryScore(
                    List<ImageFeatures> images, LabelVectors labels, Priority priority) {
                return model.tryScore(images, labels, priority);
            }

            @Override
            public List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) {
                return model.explain(image, labels);
            }

            @Override
            public void close() {}
        };
    }

    private TaggingProcessor processor(Vocabulary followed, ModelRuntime runtime) {
        TaggingContext shared = new TaggingContext(
                TestConfig.with(TagstreamConfig.TASK_PENDING_MAX, 3, TagstreamConfig.TASK_PENDING_MAX_BYTES, 1_000),
                contracts,
                followed,
                runtime,
                metrics,
                inflow);
        shared.useClock(() -> 0); // on a busy machine, a sweep's turn could end before it has done anything
        return new TaggingProcessor(shared);
    }

    private void punctuate() {
        context.scheduledPunctuators().stream()
                .filter(punctuator -> !punctuator.cancelled())
                .forEach(punctuator -> punctuator.getPunctuator().punctuate(0));
    }

    /** The punctuators that forward: all but the one that checks for a new vocabulary. */
    private List<CapturedPunctuator> forwarders() {
        return context.scheduledPunctuators().stream()
                .filter(punctuator -> punctuator.getInterval().equals(Duration.ofMillis(10)))
                .toList();
    }

    private List<String> forwardedIds() {
        return context.forwarded(TaggingTopology.TAGS_SINK).stream()
                .map(forward -> (String) forward.record().key())
                .toList();
    }

    private TagEvent event(int index) {
        CapturedForward<?, ? extends byte[]> forward =
                context.forwarded(TaggingTopology.TAGS_SINK).get(index);
        return contracts
                .tagEvent()
                .deserializer()
                .deserialize("tags", forward.record().value());
    }

    private void mark(long epoch) {
        mark(vocabulary, epoch, 0);
    }

    /** Puts a vocabulary with this many labels in force. */
    private void mark(Vocabulary followed, long epoch, int labels) {
        mark(followed, epoch, labels, rules(model.description(), 1));
    }

    private static MarkerRules rules(ModelDescription bundle, long revision) {
        return MarkerRules.newBuilder(TestRules.of(TestConfig.with(), bundle))
                .setRevision(revision)
                .build();
    }

    private void mark(Vocabulary followed, long epoch, int labels, MarkerRules rules) {
        String fingerprint = model.description().textFingerprint();
        pipe(
                followed,
                EmbeddingKey.marker(fingerprint),
                new LabelEmbedding(fingerprint, epoch, new VocabularyMarker(labels, "topic-1", epoch, rules)));
    }

    /** Adds a label whose name and text are its id. */
    private void add(Vocabulary followed, String id, long offset) {
        String fingerprint = model.description().textFingerprint();
        Label label = Label.newBuilder().setName(id).build();
        pipe(
                followed,
                new EmbeddingKey(fingerprint, id),
                new LabelEmbedding(
                        fingerprint,
                        offset,
                        new EncodedLabel(id, label, FakeModelRuntime.vectorBytes(id), offset, 0f, 1f)));
    }

    private void pipe(Vocabulary followed, EmbeddingKey key, LabelEmbedding embedding) {
        new VocabularyProcessor(followed)
                .process(new Record<>(
                        key.toString().getBytes(StandardCharsets.UTF_8),
                        contracts.labelEmbedding().serializer().serialize("label-embeddings", embedding),
                        0));
    }

    private static byte[] image(String id, String uri) {
        ImageReference reference = ImageReference.newBuilder().setUri(uri).build();
        return bytes(new PendingImage(id, reference, origin(), 0L, List.of(), null));
    }

    private static byte[] bytes(PendingImage image) {
        return new StateSerde<>(PendingImage.class).serializer().serialize(null, image);
    }

    private static RecordOrigin origin() {
        return new RecordOrigin("images", 0, 0L);
    }

    private <K, V> KeyValueStore<K, V> store(String name, Serde<K> keys, Serde<V> values) {
        KeyValueStore<K, V> store = Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), keys, values)
                .withLoggingDisabled()
                .build();
        store.init(context.getStateStoreContext(), store);
        context.addStateStore(store);
        return store;
    }
}
