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
import io.tagstream.topology.vocabulary.LabelLimits;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads and encodes labels, or refuses them.
 *
 * <p>A label whose text did not change keeps its vector: changes of threshold or state encode nothing. If new text
 * gives the same vector, for example another name where the prompts do not mention it, the label keeps the vector's
 * epoch: known images need not be decoded against it.
 *
 * <p><i>Threading notes.</i> Used only by the encoder's stream thread.
 */
final class LabelIntake {
    private static final Logger log = LoggerFactory.getLogger(LabelIntake.class);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final ModelRuntime runtime;
    private final String textFingerprint;
    private final RecordLimit limit;
    private final LabelLimits limits;
    private final IdDeserializer labelIds = new IdDeserializer("label");

    LabelIntake(TagstreamConfig config, Contracts contracts, ModelRuntime runtime, RecordLimit limit) {
        this.config = config;
        this.contracts = contracts;
        this.runtime = runtime;
        this.textFingerprint = runtime.description().textFingerprint();
        this.limit = limit;
        this.limits = LabelLimits.of(config);
    }

    /** A record of label-vocabulary. */
    record Change(Record<byte[], byte[]> record, RecordOrigin origin) {
        long offset() {
            return origin.getOffset();
        }
    }

    /**
     * A change as it is taken into the vocabulary.
     *
     * @param embedding the encoded label, null to remove it
     * @param previous the label as it was in force, null if it was not in force
     */
    record Taken(String id, LabelEmbedding embedding, LabelEmbedding previous) {
        /** By how much the number of labels grows. */
        int growth() {
            return (embedding == null ? 0 : 1) - (previous == null ? 0 : 1);
        }
    }

    /**
     * Computes and forwards nothing: an exception that the record is to blame for refuses the record.
     *
     * @param labels how many labels are in force
     * @param elsewhere labels that another encoder has in force although they exceed the limits, by their ids
     */
    Taken understand(Change change, long epoch, EncodedLabels encoded, int labels, Map<String, Label> elsewhere)
            throws RefusedLabelException {
        Label label = null;
        try {
            String id = readId(change.record().key());
            label = readLabel(change.record());
            LabelEmbedding previous = encoded.find(id).orElse(null);
            if (label != null) {
                Label inForce = Optional.ofNullable(previous)
                        .flatMap(EncodedLabels::label)
                        .orElse(elsewhere.get(id));
                requireWithinLimits(id, label, inForce, previous == null ? labels : 0);
            }
            LabelEmbedding embedding = label == null ? null : encode(id, label, epoch, previous);
            Record<String, byte[]> written = written(new EmbeddingKey(textFingerprint, id), embedding, 0);
            if (!limit.fits(utf8(written.key()), written.value(), written.headers())) {
                throw new RefusedLabelException(
                        LabelFailureReason.RECORD_TOO_LARGE,
                        "The label and its vector need %d bytes, but a record holds at most %d (kafka.max.request.size)"
                                .formatted(
                                        RecordLimit.sizeOf(utf8(written.key()), written.value(), written.headers()),
                                        limit.bytes()),
                        label,
                        null);
            }
            return new Taken(id, embedding, previous);
        } catch (RuntimeException e) {
            if (!Blame.isOnRecord(e)) {
                throw e;
            }
            log.error("The label at {} is refused because of an internal error", change.origin(), e);
            throw new RefusedLabelException(
                    LabelFailureReason.INTERNAL_ERROR, "The label cannot be encoded: " + e, label, e);
        }
    }

    /** The id of a change's label, if it can be read. */
    Optional<String> id(Change change) {
        try {
            return Optional.of(readId(change.record().key()));
        } catch (RefusedLabelException e) {
            return Optional.empty();
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

    private void requireWithinLimits(String id, Label label, Label inForce, int others) throws RefusedLabelException {
        Optional<LabelLimits.Refusal> refusal =
                limits.refusal(id, label, inForce).or(() -> limits.full(id, others));
        if (refusal.isPresent()) {
            throw new RefusedLabelException(
                    refusal.get().reason(), refusal.get().message(), label, null);
        }
    }

    private LabelEmbedding encode(String id, Label label, long epoch, LabelEmbedding previous)
            throws RefusedLabelException {
        if (previous != null && previous.getContent() instanceof EncodedLabel before && sameText(before, label)) {
            EncodedLabel kept = EncodedLabel.newBuilder(before).setLabel(label).build();
            return new LabelEmbedding(textFingerprint, epoch, kept);
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
                    same ? ((EncodedLabel) previous.getContent()).getVectorOffset() : epoch,
                    vector.referenceMean(),
                    vector.referenceDeviation());
            return new LabelEmbedding(textFingerprint, epoch, fresh);
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

    /** Reports a refused label and, if it could not even be read, keeps the record as it was found. */
    void refuse(Change change, RefusedLabelException refused, ProcessorContext<Object, byte[]> context) {
        RecordOrigin origin = change.origin();
        log.info(
                "Refused the label at {}-{}@{}: {}",
                origin.getTopic(),
                origin.getPartition(),
                origin.getOffset(),
                Shortened.of(refused.getMessage()));
        if (refused.unreadable()) {
            context.forward(
                    DeadLetters.of(change.record(), origin, refused, limit), LabelEncoderTopology.DEAD_LETTERS_SINK);
        }
        LabelFailure failure = LabelFailure.newBuilder()
                .setLabel(refused.label())
                .setReason(refused.reason())
                .setMessage(Shortened.of(refused.getMessage()))
                .setFailedAt(Instant.ofEpochMilli(context.currentSystemTimeMs()))
                .setOrigin(origin)
                .build();
        Record<String, byte[]> whole =
                written(IdDeserializer.describe(change.record().key()), failure, context.currentSystemTimeMs());
        if (change.record().key() != null && !limit.fits(utf8(whole.key()), whole.value(), whole.headers())) {
            failure.setLabel(null);
            whole = written(Shortened.of(whole.key()), failure, whole.timestamp());
        }
        context.forward(whole, LabelEncoderTopology.FAILURES_SINK);
    }

    private Record<String, byte[]> written(String id, LabelFailure failure, long timestamp) {
        byte[] value = contracts
                .labelFailure()
                .serializer()
                .serialize(config.topic(TagstreamConfig.LABEL_FAILURES_TOPIC), failure);
        return new Record<>(id, value, timestamp);
    }

    /** A record of label-embeddings; null removes the label. */
    Record<String, byte[]> written(EmbeddingKey key, LabelEmbedding embedding, long timestamp) {
        byte[] value = contracts
                .labelEmbedding()
                .serializer()
                .serialize(config.topic(TagstreamConfig.EMBEDDINGS_TOPIC), embedding);
        return new Record<>(key.toString(), value, timestamp);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
