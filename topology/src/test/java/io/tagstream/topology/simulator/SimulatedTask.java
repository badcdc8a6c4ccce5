/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.topology.labels.SimulatedLabels;
import io.tagstream.topology.tagging.SimulatedTagging;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.StreamsMetrics;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.Punctuator;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * A task of Kafka Streams on one of its threads, and what its processors see of Kafka Streams: stores restored from
 * changelogs, punctuators, and sinks that write into the thread's transaction.
 */
final class SimulatedTask implements ProcessorContext<Object, Object> {
    /** Which processors the task has. */
    enum Kind {
        /** Reads images records and accepts them; writes to the re-keying topic. */
        ADMISSION,
        /** Tags accepted images of the re-keying topic. */
        TAGGING,
        /** Both, if the images topic is not re-keyed. */
        ADMISSION_AND_TAGGING,
        /** Encodes labels. */
        LABELS
    }

    private final Kind kind;
    private final TaskId id;
    private final SimulatedThread thread;
    private final TopicPartition input;
    private final Processor<byte[], byte[], Object, Object> admission;
    private final Processor<String, byte[], Object, byte[]> tagging;
    private final Processor<byte[], byte[], Object, byte[]> labels;
    private final Map<String, StateStore> stores = new HashMap<>();
    private final List<Punctuation> punctuations = new ArrayList<>();
    private Optional<RecordMetadata> metadata = Optional.empty();
    private String inputId;
    private long position;

    /** A punctuator that was scheduled in this life. */
    private static final class Punctuation implements Cancellable {
        private final long interval;
        private final Punctuator punctuator;
        private long next;
        private boolean cancelled;

        Punctuation(long interval, Punctuator punctuator, long now) {
            this.interval = interval;
            this.punctuator = punctuator;
            this.next = now + interval;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    private record Place(String topic, int partition, long offset) implements RecordMetadata {}

    SimulatedTask(Kind kind, TaskId id, SimulatedThread thread) {
        this.kind = kind;
        this.id = id;
        this.thread = thread;
        SimulatedInstance instance = thread.instance();
        SimulatedCluster cluster = instance.cluster();
        this.input = cluster.input(kind, id);
        this.admission = kind == Kind.ADMISSION || kind == Kind.ADMISSION_AND_TAGGING
                ? SimulatedTagging.admission(instance.shared())
                : null;
        this.tagging = kind == Kind.TAGGING || kind == Kind.ADMISSION_AND_TAGGING
                ? SimulatedTagging.tagging(instance.shared())
                : null;
        this.labels = kind == Kind.LABELS
                ? SimulatedLabels.encoder(
                        cluster.config(),
                        cluster.contracts(),
                        instance.model(),
                        instance::control,
                        cluster.broker(),
                        cluster::nanoTime)
                : null;
    }

    TaskId id() {
        return id;
    }

    TopicPartition input() {
        return input;
    }

    /** The offset of the next record to process. */
    long position() {
        return position;
    }

    /** Whether the position is one in the topic that exists now. */
    boolean readsPresentTopic() {
        return thread.instance().cluster().broker().topicId(input.topic()).equals(inputId);
    }

    /** Begins a life: with the committed state, and the same processors in a task that is revived. */
    @SuppressWarnings("unchecked")
    void begin() {
        SimulatedBroker broker = thread.instance().cluster().broker();
        stores.clear();
        if (tagging != null) {
            restore(SimulatedTagging.stores());
        }
        if (labels != null) {
            restore(SimulatedLabels.stores());
        }
        inputId = broker.topicId(input.topic());
        position = broker.position(thread.group().name(), input);
        metadata = Optional.empty();
        if (admission != null) {
            admission.init(this);
        }
        if (tagging != null) {
            tagging.init((ProcessorContext<Object, byte[]>) (ProcessorContext<?, ?>) this);
        }
        if (labels != null) {
            labels.init((ProcessorContext<Object, byte[]>) (ProcessorContext<?, ?>) this);
        }
    }

    private void restore(Map<String, List<Serde<?>>> serdes) {
        serdes.forEach((name, pair) -> stores.put(name, restored(name, pair.get(0), pair.get(1))));
    }

    private <K, V> SimulatedStore<K, V> restored(String name, Serde<K> keys, Serde<V> values) {
        String changelog = SimulatedCluster.changelog(thread.group().name(), name, id.partition());
        return new SimulatedStore<>(
                name,
                keys,
                values,
                thread.instance().cluster().broker().changelog(changelog),
                (key, value) -> thread.change(changelog, key, value));
    }

    /** Ends a life. */
    void end() {
        if (admission != null) {
            admission.close();
        }
        if (tagging != null) {
            tagging.close();
        }
        if (labels != null) {
            labels.close();
        }
        punctuations.clear();
    }

    /** Processes the next records. */
    void process(int most) {
        SimulatedBroker broker = thread.instance().cluster().broker();
        if (!readsPresentTopic()) { // as the consumer does once it knows
            inputId = broker.topicId(input.topic());
            position = 0;
        }
        for (int processed = 0; processed < most; processed++) {
            Optional<ConsumerRecord<byte[], byte[]>> next = broker.next(input, position);
            if (next.isEmpty()) {
                return;
            }
            position = next.get().offset() + 1;
            thread.advanced();
            process(next.get());
        }
    }

    private void process(ConsumerRecord<byte[], byte[]> found) {
        metadata = Optional.of(new Place(found.topic(), found.partition(), found.offset()));
        if (kind == Kind.TAGGING) {
            tagging.process(new Record<>(
                    found.key() == null ? null : new String(found.key(), StandardCharsets.UTF_8),
                    found.value(),
                    found.timestamp(),
                    found.headers()));
        } else {
            (kind == Kind.LABELS ? labelsAsAny() : admissionAsAny())
                    .process(new Record<>(found.key(), found.value(), found.timestamp(), found.headers()));
        }
        metadata = Optional.empty();
    }

    private Processor<byte[], byte[], ?, ?> labelsAsAny() {
        return labels;
    }

    private Processor<byte[], byte[], ?, ?> admissionAsAny() {
        return admission;
    }

    /** Runs the punctuators that are due. */
    void punctuate() {
        long now = currentSystemTimeMs();
        for (Punctuation each : List.copyOf(punctuations)) {
            if (!each.cancelled && each.next <= now) {
                each.next = now + each.interval;
                thread.advanced(); // every punctuation makes Kafka Streams commit
                each.punctuator.punctuate(now);
            }
        }
        punctuations.removeIf(each -> each.cancelled);
    }

    @Override
    public <K, V> void forward(Record<K, V> record, String child) {
        if (child.equals(SimulatedTagging.ACCEPTED)) {
            if (kind == Kind.ADMISSION_AND_TAGGING) {
                tagging.process(record.withKey((String) record.key()).withValue((byte[]) record.value()));
            } else {
                thread.rekey((String) record.key(), (byte[]) record.value(), record.timestamp());
            }
            return;
        }
        String topic = kind == Kind.LABELS ? SimulatedLabels.topicKey(child) : SimulatedTagging.topicKey(child);
        byte[] key =
                record.key() instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) record.key();
        thread.write(this, topic, key, (byte[]) record.value(), record.headers(), record.timestamp());
    }

    @Override
    public <K, V> void forward(Record<K, V> record) {
        throw new UnsupportedOperationException("The simulator expects the name of a sink");
    }

    @Override
    public String applicationId() {
        return thread.group().name();
    }

    @Override
    public TaskId taskId() {
        return id;
    }

    @Override
    public Optional<RecordMetadata> recordMetadata() {
        return metadata;
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // as the interface has it
    public <S extends StateStore> S getStateStore(String name) {
        StateStore store = stores.get(name);
        if (store == null) {
            throw new IllegalArgumentException("The simulator knows no store " + name);
        }
        return (S) store;
    }

    @Override
    public Cancellable schedule(Duration interval, PunctuationType type, Punctuator callback) {
        Punctuation punctuation = new Punctuation(interval.toMillis(), callback, currentSystemTimeMs());
        punctuations.add(punctuation);
        return punctuation;
    }

    @Override
    public Cancellable schedule(Instant start, Duration interval, PunctuationType type, Punctuator callback) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void commit() {
        thread.advanced();
    }

    @Override
    public long currentSystemTimeMs() {
        return thread.instance().cluster().now();
    }

    @Override
    public long currentStreamTimeMs() {
        return currentSystemTimeMs();
    }

    @Override
    public Serde<?> keySerde() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Serde<?> valueSerde() {
        throw new UnsupportedOperationException();
    }

    @Override
    public File stateDir() {
        throw new UnsupportedOperationException();
    }

    @Override
    public StreamsMetrics metrics() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, Object> appConfigs() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, Object> appConfigsWithPrefix(String prefix) {
        throw new UnsupportedOperationException();
    }
}
