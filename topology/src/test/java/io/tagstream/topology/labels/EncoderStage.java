/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.state.EncoderProgress;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.StateSerde;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import io.tagstream.topology.vocabulary.VocabularyProcessor;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import io.tagstream.topology.waits.Waits;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedForward;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedPunctuator;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.internals.WrappedStateStore;

/**
 * A label encoder between its topics, and instances that read what it writes. Topics and stores can be lost, and the
 * encoder can be restarted.
 */
final class EncoderStage {
    static final String LABELS = "label-vocabulary";
    static final String EMBEDDINGS = "label-embeddings";

    private static final Duration STEP = Duration.ofMillis(20);

    final FakeTopics topics;
    final FakeModelRuntime model;
    final Contracts contracts;
    final List<LabelFailure> failures = new ArrayList<>();
    final Waits waits = new Waits();

    private final TagstreamConfig config;
    private final MockProcessorContext<Object, byte[]> context = new MockProcessorContext<>();
    private final KeyValueStore<String, LabelEmbedding> encoded =
            store(LabelEncoderTopology.ENCODED_LABELS_STORE, new StateSerde<>(LabelEmbedding.class));
    private final KeyValueStore<String, EncoderProgress> progress =
            store(LabelEncoderTopology.ENCODER_PROGRESS_STORE, new StateSerde<>(EncoderProgress.class));

    /** The control record in force. */
    ClusterControl control;

    private LabelEncoder encoder;
    private long now = 1_700_000_000_000L;

    /** When the running encoder's punctuators are due. */
    private final Map<CapturedPunctuator, Long> due = new HashMap<>();

    private int punctuatorsOfEarlierLives;

    /** The offset that Kafka Streams hands over next; {@code positionOf} is the id of its topic. */
    private long position;

    private String positionOf = "";

    EncoderStage(FakeTopics topics, SchemaRegistry registry, FakeModelRuntime model, Object... settings) {
        this.config = TestConfig.with(settings);
        this.topics = topics;
        this.model = model;
        this.contracts = new Contracts(registry);
        this.control = TestRules.control(config, model.description());
        context.setCurrentSystemTimeMs(now);
    }

    private <V> KeyValueStore<String, V> store(String name, Serde<V> values) {
        KeyValueStore<String, V> store = Stores.keyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore(name), Serdes.String(), values)
                .withLoggingDisabled()
                .build();
        store.init(context.getStateStoreContext(), store);
        context.addStateStore(store);
        return store;
    }

    /**
     * Starts the encoder, hands it the records that it has not had, as Kafka Streams does, and lets it come to rest.
     */
    void start() {
        encoder = encoder(model);
        encoder.init(context);
        if (!topics.topicId(LABELS).equals(positionOf)) {
            position = 0; // brokers forget a group's position in a deleted topic
        }
        topics.records(LABELS).stream()
                .filter(found -> found.offset() >= position)
                .forEach(this::hand);
        pass(Duration.ofMillis(200));
    }

    /** Starts an encoder that is slow with each label, and stops it when it has taken the first. */
    void startForOneLabel() {
        encoder = encoder(slow());
        encoder.init(context);
        pass(STEP);
        stop();
    }

    private LabelEncoder encoder(ModelRuntime itsModel) {
        return new LabelEncoder(
                config,
                contracts,
                itsModel,
                RecordLimit.of(config),
                () -> control,
                () -> topics,
                waits,
                () -> TimeUnit.MILLISECONDS.toNanos(now),
                new Pace(config.taskForward()));
    }

    private ModelRuntime slow() {
        return (ModelRuntime) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ModelRuntime.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("encodeLabel")) {
                        now += 1_000; // the context's clock stands still, as Kafka Streams' does
                    }
                    return method.invoke(model, arguments);
                });
    }

    /** Stops the encoder, in the middle of its work. */
    void stop() {
        encoder.close();
        encoder = null;
        due.clear();
        punctuatorsOfEarlierLives = context.scheduledPunctuators().size();
    }

    void restart() {
        stop();
        start();
    }

    /** Writes a label, and hands it to the encoder if it is running; null removes the label. */
    void put(String id, Label label) {
        putBytes(id, contracts.label().serializer().serialize(LABELS, label));
    }

    /** The same with a value of any kind. */
    void putBytes(String id, byte[] value) {
        ConsumerRecord<byte[], byte[]> written = topics.append(LABELS, utf8(id), value);
        if (encoder != null) {
            hand(written);
        }
    }

    void put(String name) {
        put(name, Label.newBuilder().setName(name).build());
    }

    /** Hands a record to the encoder, which may have had it before. */
    void hand(ConsumerRecord<byte[], byte[]> found) {
        context.setRecordMetadata(found.topic(), found.partition(), found.offset());
        encoder.process(new Record<>(found.key(), found.value(), now, new RecordHeaders()));
        position = found.offset() + 1;
        positionOf = topics.topicId(LABELS);
        topics.commitPosition(LABELS);
        collect();
    }

    void passQuietly() {
        pass(Duration.ofMillis(200));
    }

    void pass(Duration time) {
        for (long end = now + time.toMillis(); now < end; ) {
            now += STEP.toMillis();
            context.setCurrentSystemTimeMs(now);
            List<CapturedPunctuator> all = context.scheduledPunctuators();
            for (CapturedPunctuator each : List.copyOf(all.subList(punctuatorsOfEarlierLives, all.size()))) {
                long interval = each.getInterval().toMillis();
                long dueAt = due.computeIfAbsent(each, scheduled -> now - STEP.toMillis() + interval);
                if (!each.cancelled() && dueAt <= now) {
                    due.put(each, now + interval);
                    each.getPunctuator().punctuate(now);
                    collect();
                }
            }
        }
    }

    /** Appends what the encoder has forwarded to the topics. */
    private void collect() {
        for (CapturedForward<?, ?> forward : context.forwarded()) {
            String sink = forward.childName().orElseThrow();
            byte[] value = (byte[]) forward.record().value();
            if (sink.equals(LabelEncoderTopology.EMBEDDINGS_SINK)) {
                topics.append(EMBEDDINGS, utf8((String) forward.record().key()), value);
            } else if (sink.equals(LabelEncoderTopology.FAILURES_SINK)) {
                failures.add(contracts.labelFailure().deserializer().deserialize("label-failures", value));
            }
        }
        context.resetForwards();
    }

    /** Loses the encoder's labels, or makes them unreadable. */
    void loseLabels() {
        clear(encoded);
    }

    void loseProgress() {
        clear(progress);
    }

    private static <V> void clear(KeyValueStore<String, V> store) {
        List<String> keys = new ArrayList<>();
        try (KeyValueIterator<String, V> all = store.all()) {
            while (all.hasNext()) {
                KeyValue<String, V> next = all.next();
                keys.add(next.key);
            }
        }
        keys.forEach(store::delete);
    }

    /** Puts bytes into the store of labels, as another version or a fault may leave them. */
    void storeLabel(String id, byte[] bytes) {
        raw(encoded).put(Bytes.wrap(utf8(id)), bytes);
    }

    /** The same for the encoder's progress. */
    void storeProgress(byte[] bytes) {
        raw(progress).put(Bytes.wrap(utf8("progress")), bytes);
    }

    @SuppressWarnings("unchecked")
    private static KeyValueStore<Bytes, byte[]> raw(KeyValueStore<String, ?> store) {
        return ((WrappedStateStore<KeyValueStore<Bytes, byte[]>, ?, ?>) store).wrapped();
    }

    /** Writes a value to label-embeddings that only the encoder should write. */
    void writeEmbedding(String id, byte[] value) {
        topics.append(EMBEDDINGS, utf8(new EmbeddingKey(fingerprint(), id).toString()), value);
    }

    /** The names of the topic's labels, by id, for a reader that reads it now and refuses blank names. */
    Map<String, String> labelsOfTheTopic() {
        Map<String, String> names = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> found : topics.records(LABELS)) {
            String id = new String(found.key(), StandardCharsets.UTF_8);
            Label label = contracts.label().deserializer().deserialize(LABELS, found.value());
            if (label == null) {
                names.remove(id);
            } else if (!label.getName().isBlank()) {
                names.put(id, label.getName());
            }
        }
        return names;
    }

    /** The encoder's newest marker. */
    Optional<LabelEmbedding> marker() {
        return written().stream()
                .filter(record ->
                        record.key.isMarker() && record.key.textFingerprint().equals(fingerprint()))
                .reduce((earlier, later) -> later)
                .map(record -> record.value);
    }

    /** The contents of label-embeddings. */
    List<KeyValue<EmbeddingKey, LabelEmbedding>> written() {
        return topics.records(EMBEDDINGS).stream()
                .map(found -> KeyValue.pair(
                        EmbeddingKey.parse(new String(found.key(), StandardCharsets.UTF_8)),
                        contracts.labelEmbedding().deserializer().deserialize(EMBEDDINGS, found.value())))
                .toList();
    }

    String fingerprint() {
        return model.description().textFingerprint();
    }

    /** An instance that starts now: it reads label-embeddings from its beginning, and continues whenever asked. */
    final class Instance {
        private final Vocabulary vocabulary = new Vocabulary(
                EMBEDDINGS, model.description(), contracts.labelEmbedding().deserializer());
        private final VocabularyProcessor processor = new VocabularyProcessor(vocabulary);
        private long next;

        Instance() {
            vocabulary.require(topics.topicId(LABELS), topics.read(LABELS).newestOffset(), control.getRevision());
        }

        private void read() {
            for (ConsumerRecord<byte[], byte[]> found : topics.records(EMBEDDINGS)) {
                if (found.offset() >= next) {
                    processor.process(new Record<>(found.key(), found.value(), 0));
                    next = found.offset() + 1;
                }
            }
        }

        boolean isReady() {
            read();
            return vocabulary.snapshot().isPresent();
        }

        long epoch() {
            read();
            return vocabulary.epoch();
        }

        VocabularySnapshot snapshot() {
            read();
            return vocabulary
                    .snapshot()
                    .orElseThrow(() ->
                            new AssertionError(vocabulary.notReadyBecause().orElseThrow()));
        }

        List<String> labels() {
            return snapshot().labels().stream().map(VocabularyLabel::id).toList();
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
