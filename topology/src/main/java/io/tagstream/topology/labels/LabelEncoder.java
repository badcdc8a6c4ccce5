/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.LabelFailureReason;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.avro.state.EncoderProgress;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.ModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Blame;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.DeadLetters;
import io.tagstream.topology.records.IdDeserializer;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.records.Shortened;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encodes labels and says with markers how far it has come.
 *
 * <p>Every record of label-vocabulary is either taken (an embedding, or a tombstone) or refused (a failure; the label's
 * previous version stays in force). A group of changes ends once none has arrived for a moment; then a marker is
 * written with the offset up to which everything has been taken or refused. How far the encoder has come is kept in a
 * store, so that a marker that a crash prevented is written after it.
 *
 * <p>A label whose text did not change keeps its vector: changes of threshold or state encode nothing. One whose new text
 * gives the same vector, such as another name where the prompts do not speak of it, keeps the vector's offset: known images
 * need not be decoded against it.
 *
 * <p><i>Threading notes.</i> Used by one stream thread. Encoding blocks it; nothing else waits for this topology.
 */
final class LabelEncoder implements Processor<byte[], byte[], Object, byte[]> {
    private static final Logger log = LoggerFactory.getLogger(LabelEncoder.class);
    private static final String PROGRESS_KEY = "progress";
    private static final Duration MARKER_CHECK = Duration.ofMillis(20);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final ModelRuntime runtime;
    private final String textFingerprint;
    private final RecordLimit limit;
    private final IdDeserializer labelIds = new IdDeserializer("label");

    private ProcessorContext<Object, byte[]> context;
    private KeyValueStore<String, LabelEmbedding> encoded;
    private KeyValueStore<String, EncoderProgress> progressStore;
    private EncoderProgress progress;

    /** Wall-clock milliseconds at which the open group's first change came. */
    private long groupBegan;

    /**
     * Checks since the last change. They and not the clock tell quiet: while changes wait to be read, one is taken
     * between any two checks, however long the thread is held up.
     */
    private long quietChecks;

    /** Runs while a group is open: every punctuation makes Kafka Streams commit, idle or not. */
    private Cancellable markerCheck;

    LabelEncoder(TagstreamConfig config, Contracts contracts, ModelRuntime runtime, RecordLimit limit) {
        this.config = config;
        this.contracts = contracts;
        this.runtime = runtime;
        this.textFingerprint = runtime.description().textFingerprint();
        this.limit = limit;
    }

    @Override
    public void init(ProcessorContext<Object, byte[]> processorContext) {
        context = processorContext;
        encoded = context.getStateStore(LabelEncoderTopology.ENCODED_LABELS_STORE);
        progressStore = context.getStateStore(LabelEncoderTopology.ENCODER_PROGRESS_STORE);
        markerCheck = null; // a revived task's is gone with its former life
        EncoderProgress stored = progressStore.get(PROGRESS_KEY);
        progress = stored == null ? new EncoderProgress(-1L, -1L, 0) : stored;
        if (progress.getProcessedOffset() != progress.getMarkedOffset()) {
            beginGroup(); // a crash came before its marker
        }
    }

    @Override
    public void process(Record<byte[], byte[]> change) {
        RecordMetadata metadata = context.recordMetadata().orElseThrow();
        if (markerCheck == null) {
            beginGroup();
        }
        int labels = progress.getLabels();
        try {
            Change understood = understand(change, metadata);
            encoded.put(understood.id(), understood.embedding());
            context.forward(understood.written(), LabelEncoderTopology.EMBEDDINGS_SINK);
            labels += understood.growth();
        } catch (RefusedLabelException refused) {
            refuse(change, metadata, refused);
        }
        quietChecks = 0;
        progress = new EncoderProgress(metadata.offset(), progress.getMarkedOffset(), labels);
        progressStore.put(PROGRESS_KEY, progress);
    }

    /**
     * A change to be taken into the vocabulary.
     *
     * @param embedding the label encoded, null to remove it
     * @param written the record that says so
     * @param growth by how much the number of labels grows
     */
    private record Change(String id, LabelEmbedding embedding, Record<String, byte[]> written, int growth) {}

    /** Computes and forwards nothing: an exception that the record is to blame for refuses it. */
    private Change understand(Record<byte[], byte[]> change, RecordMetadata metadata) throws RefusedLabelException {
        Label label = null;
        try {
            String id = readId(change.key());
            label = readLabel(change);
            LabelEmbedding previous = previous(id);
            LabelEmbedding embedding = label == null ? null : encode(id, label, metadata.offset(), previous);
            Record<String, byte[]> written = written(new EmbeddingKey(textFingerprint, id), embedding);
            if (!limit.fits(utf8(written.key()), written.value(), written.headers())) {
                throw new RefusedLabelException(
                        LabelFailureReason.RECORD_TOO_LARGE,
                        "The label and its vector need %d bytes, a record takes %d (kafka.max.request.size)"
                                .formatted(
                                        RecordLimit.sizeOf(utf8(written.key()), written.value(), written.headers()),
                                        limit.bytes()),
                        label,
                        null);
            }
            int growth = (embedding == null ? 0 : 1) - (previous == null ? 0 : 1);
            return new Change(id, embedding, written, growth);
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                throw e;
            }
            log.error("The label at {} meets an error that is not its own, and is refused", metadata, e);
            throw new RefusedLabelException(
                    LabelFailureReason.INTERNAL_ERROR, "The label cannot be encoded: " + e, label, e);
        }
    }

    /** The label as it is in force; null where there is none, or what is stored cannot be read. */
    private LabelEmbedding previous(String id) {
        try {
            return encoded.get(id);
        } catch (SerializationException e) {
            log.error("What is stored of label {} cannot be read and counts as unknown", id, e);
            return null;
        }
    }

    private String readId(byte[] key) throws RefusedLabelException {
        try {
            return labelIds.deserialize(config.topic(TagstreamConfig.LABELS_TOPIC), key);
        } catch (SerializationException e) {
            throw new RefusedLabelException(LabelFailureReason.BAD_ID, e.getMessage(), null, e);
        }
    }

    private Label readLabel(Record<byte[], byte[]> change) throws RefusedLabelException {
        try {
            return contracts
                    .label()
                    .deserializer()
                    .deserialize(config.topic(TagstreamConfig.LABELS_TOPIC), change.headers(), change.value());
        } catch (SerializationException e) {
            throw new RefusedLabelException(LabelFailureReason.UNREADABLE, e.getMessage(), null, e);
        }
    }

    private LabelEmbedding encode(String id, Label label, long offset, LabelEmbedding previous)
            throws RefusedLabelException {
        Double threshold = label.getThreshold();
        if (threshold != null && !(threshold >= 0 && threshold <= 1)) {
            throw new RefusedLabelException(
                    LabelFailureReason.BAD_THRESHOLD,
                    "The threshold of label '" + id + "' is " + threshold + "; it must be in [0, 1] or null",
                    label,
                    null);
        }
        if (previous != null && previous.getContent() instanceof EncodedLabel before && sameText(before, label)) {
            EncodedLabel kept = EncodedLabel.newBuilder(before).setLabel(label).build();
            return new LabelEmbedding(textFingerprint, offset, kept);
        }
        try {
            LabelVector vector = runtime.encodeLabel(new LabelText(label.getName(), label.getPrompts()));
            ByteBuffer bytes = littleEndian(vector.vector());
            boolean same = previous != null
                    && previous.getContent() instanceof EncodedLabel before
                    && before.getVector().equals(bytes);
            EncodedLabel fresh = new EncodedLabel(
                    id,
                    label,
                    bytes,
                    same ? ((EncodedLabel) previous.getContent()).getVectorOffset() : offset,
                    vector.referenceMean(),
                    vector.referenceDeviation());
            return new LabelEmbedding(textFingerprint, offset, fresh);
        } catch (LabelTextException e) {
            LabelFailureReason reason = switch (e.reason()) {
                case EMPTY_NAME -> LabelFailureReason.EMPTY_NAME;
                case BAD_PROMPT -> LabelFailureReason.BAD_PROMPT;
                case TOO_MANY_PROMPTS -> LabelFailureReason.TOO_MANY_PROMPTS;
                case TEXT_TOO_LONG -> LabelFailureReason.TEXT_TOO_LONG;
                case MODEL_ERROR -> LabelFailureReason.MODEL_ERROR;
            };
            throw new RefusedLabelException(reason, e.getMessage(), label, e);
        }
    }

    private static boolean sameText(EncodedLabel before, Label now) {
        return before.getLabel().getName().equals(now.getName())
                && before.getLabel().getPrompts().equals(now.getPrompts());
    }

    private static ByteBuffer littleEndian(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return bytes;
    }

    /** A refused label is reported, and, if it could not even be read, kept as it was found. */
    private void refuse(Record<byte[], byte[]> change, RecordMetadata metadata, RefusedLabelException refused) {
        log.info(
                "Refused the label at {}-{}@{}: {}",
                metadata.topic(),
                metadata.partition(),
                metadata.offset(),
                Shortened.of(refused.getMessage()));
        if (refused.unreadable()) {
            context.forward(DeadLetters.of(change, metadata, refused, limit), LabelEncoderTopology.DEAD_LETTERS_SINK);
        }
        LabelFailure failure = LabelFailure.newBuilder()
                .setLabel(refused.label())
                .setReason(refused.reason())
                .setMessage(Shortened.of(refused.getMessage()))
                .setFailedAt(Instant.ofEpochMilli(context.currentSystemTimeMs()))
                .setOrigin(new RecordOrigin(metadata.topic(), metadata.partition(), metadata.offset()))
                .build();
        Record<String, byte[]> whole = written(IdDeserializer.describe(change.key()), failure);
        if (change.key() != null && !limit.fits(utf8(whole.key()), whole.value(), whole.headers())) {
            failure.setLabel(null);
            whole = written(Shortened.of(whole.key()), failure);
        }
        context.forward(whole, LabelEncoderTopology.FAILURES_SINK);
    }

    private Record<String, byte[]> written(String id, LabelFailure failure) {
        byte[] value = contracts
                .labelFailure()
                .serializer()
                .serialize(config.topic(TagstreamConfig.LABEL_FAILURES_TOPIC), failure);
        return new Record<>(id, value, context.currentSystemTimeMs());
    }

    private void beginGroup() {
        groupBegan = context.currentSystemTimeMs();
        quietChecks = 0;
        markerCheck = context.schedule(MARKER_CHECK, PunctuationType.WALL_CLOCK_TIME, this::markWhenQuiet);
    }

    private void markWhenQuiet(long now) {
        quietChecks++;
        // the first check may follow the last change at once
        boolean quiet = (quietChecks - 1) * MARKER_CHECK.toMillis()
                >= config.labelsQuiet().toMillis();
        boolean due = now - groupBegan >= config.labelsGroup().toMillis();
        if (quiet || due) {
            markerCheck.cancel();
            markerCheck = null;
            progress = new EncoderProgress(
                    progress.getProcessedOffset(), progress.getProcessedOffset(), progress.getLabels());
            progressStore.put(PROGRESS_KEY, progress);
            LabelEmbedding marker = new LabelEmbedding(
                    textFingerprint, progress.getMarkedOffset(), new VocabularyMarker(progress.getLabels()));
            context.forward(
                    written(EmbeddingKey.marker(textFingerprint), marker), LabelEncoderTopology.EMBEDDINGS_SINK);
            log.info("{} labels encoded up to offset {}", progress.getLabels(), progress.getMarkedOffset());
        }
    }

    private Record<String, byte[]> written(EmbeddingKey key, LabelEmbedding embedding) {
        byte[] value = contracts
                .labelEmbedding()
                .serializer()
                .serialize(config.topic(TagstreamConfig.EMBEDDINGS_TOPIC), embedding);
        return new Record<>(key.toString(), value, context.currentSystemTimeMs());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
