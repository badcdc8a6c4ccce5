/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.Cause;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.RecordHeader;
import io.tagstream.model.ImageScores;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.Contracts;
import io.tagstream.topology.Excerpts;
import io.tagstream.topology.RecordLimit;
import io.tagstream.topology.TagstreamConfig;
import io.tagstream.topology.tagging.Outcome.Knowledge;
import io.tagstream.topology.tagging.Outcome.Output;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * Makes outcomes of scores and failures: which labels become tags, what changed, and why. Every outcome fits into Kafka's
 * records. Stateless.
 */
final class OutcomeFactory {
    /** Scores that differ by no more than this are the same. */
    static final double SCORE_TOLERANCE = 1e-3;

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final RecordLimit limit;
    private final Model model;
    private final double defaultThreshold;
    private final int topK;
    private final OptionalDouble minScore;

    OutcomeFactory(TagstreamConfig config, Contracts contracts, RecordLimit limit, ModelDescription description) {
        this.config = config;
        this.contracts = contracts;
        this.limit = limit;
        this.model = new Model(description.id(), description.version());
        this.defaultThreshold = description.defaultThreshold();
        this.topK = config.topK().orElse(description.topK());
        this.minScore = config.minScore();
    }

    /**
     * Tags, or the failure that they do not fit.
     *
     * @param before what was known of the image
     */
    Outcome tagged(
            PendingImage image, ImageScores<VocabularySnapshot> scores, Optional<ImageMeta> before, Instant now) {
        long epoch = scores.labels().epoch();
        List<Tag> tags = tags(scores);
        Cause cause = cause(before, scores.sha256(), epoch);
        List<Output> outputs = new ArrayList<>();
        outputs.add(new Output(TaggingTopology.TAGS_SINK, tagEvent(image, scores, tags, cause, now)));
        tagChange(before.map(ImageMeta::getTags).orElse(List.of()), tags, cause, epoch, now)
                .ifPresent(change -> outputs.add(new Output(TaggingTopology.TAG_CHANGES_SINK, change)));
        Headers headers = headers(image);
        for (Output output : outputs) {
            if (!fits(image, output, headers)) {
                return failed(
                        image,
                        ImageFailureReason.RECORD_TOO_LARGE,
                        "%d tags and %d attributes need a record of %d bytes on %s, and it takes %d (kafka.max.request.size)"
                                .formatted(
                                        tags.size(),
                                        image.getReference().getAttributes().size(),
                                        RecordLimit.sizeOf(key(image), output.value(), headers),
                                        output.sink(),
                                        limit.bytes()),
                        1,
                        now);
            }
        }
        return new Outcome(outputs, headers, Knowledge.of(meta(image, scores, tags)));
    }

    /** The deletion of an image. */
    Outcome deleted(PendingImage image, Optional<ImageMeta> before, Instant now) {
        List<Output> outputs = new ArrayList<>();
        outputs.add(new Output(TaggingTopology.TAGS_SINK, null));
        before.flatMap(known ->
                        tagChange(known.getTags(), List.of(), Cause.IMAGE_DELETED, known.getVocabularyEpoch(), now))
                .ifPresent(change -> outputs.add(new Output(TaggingTopology.TAG_CHANGES_SINK, change)));
        Headers headers = headers(image);
        boolean fits = outputs.stream().allMatch(output -> fits(image, output, headers));
        return new Outcome(outputs, fits ? headers : new RecordHeaders(), Knowledge.NONE);
    }

    /** A failure, with as much of the reference as fits. */
    Outcome failed(PendingImage image, ImageFailureReason reason, String message, int attempts, Instant now) {
        ImageReference reference = image.getReference() == null
                ? ImageReference.newBuilder().setUri("").build() // a deletion
                : image.getReference();
        ImageFailure failure = ImageFailure.newBuilder()
                .setReference(reference)
                .setReason(reason)
                .setMessage(Excerpts.of(String.valueOf(message)))
                .setAttempts(attempts)
                .setFailedAt(now)
                .setOrigin(image.getOrigin())
                .setTimestamp(Instant.ofEpochMilli(image.getTimestamp()))
                .setTruncated(image.getRefusal() != null)
                .build();
        Output whole = imageFailure(failure);
        Headers headers = headers(image);
        if (fits(image, whole, headers)) {
            return new Outcome(List.of(whole), headers, Knowledge.AS_BEFORE);
        }
        failure.setReference(TruncatedReference.of(reference));
        failure.setTruncated(true);
        return new Outcome(List.of(imageFailure(failure)), new RecordHeaders(), Knowledge.AS_BEFORE);
    }

    private boolean fits(PendingImage image, Output output, Headers headers) {
        return limit.fits(key(image), output.value(), headers);
    }

    private static byte[] key(PendingImage image) {
        return image.getImageId().getBytes(StandardCharsets.UTF_8);
    }

    private static Headers headers(PendingImage image) {
        Headers headers = new RecordHeaders();
        for (RecordHeader header : image.getHeaders()) {
            byte[] bytes = null;
            if (header.getValue() != null) {
                bytes = new byte[header.getValue().remaining()];
                header.getValue().duplicate().get(bytes);
            }
            headers.add(header.getKey(), bytes);
        }
        return headers;
    }

    /** An image's tags: active labels whose score reaches their threshold, best first, at most top-K. */
    private List<Tag> tags(ImageScores<VocabularySnapshot> scores) {
        List<VocabularyLabel> labels = scores.labels().labels();
        List<Tag> tags = new ArrayList<>();
        for (int i = 0; i < labels.size(); i++) {
            VocabularyLabel label = labels.get(i);
            double threshold = minScore.orElse(label.threshold().orElse(defaultThreshold));
            if (label.active() && scores.scores()[i] >= threshold) {
                tags.add(new Tag(label.id(), label.name(), scores.scores()[i], (float) threshold));
            }
        }
        tags.sort(Comparator.comparing(Tag::getScore).reversed().thenComparing(Tag::getLabelId));
        return tags.size() > topK ? new ArrayList<>(tags.subList(0, topK)) : tags;
    }

    /** Why an image has the tags it has now, given what was known of it. */
    private Cause cause(Optional<ImageMeta> before, String sha256, long epoch) {
        if (before.isEmpty()) {
            return Cause.NEW_IMAGE;
        }
        ImageMeta known = before.get();
        if (!known.getSha256().equals(sha256)) {
            return Cause.IMAGE_CHANGED;
        }
        if (!known.getModel().equals(model)) {
            return Cause.MODEL_CHANGED;
        }
        return known.getVocabularyEpoch() == epoch ? Cause.IMAGE_CHANGED : Cause.VOCABULARY_CHANGED;
    }

    private ImageMeta meta(PendingImage image, ImageScores<VocabularySnapshot> scores, List<Tag> tags) {
        return new ImageMeta(
                image.getOrigin(), scores.sha256(), model, scores.labels().epoch(), tags);
    }

    private byte[] tagEvent(
            PendingImage image, ImageScores<VocabularySnapshot> scores, List<Tag> tags, Cause cause, Instant now) {
        TagEvent event = TagEvent.newBuilder()
                .setUri(image.getReference().getUri())
                .setSha256(scores.sha256())
                .setWidth(scores.width())
                .setHeight(scores.height())
                .setTags(tags)
                .setAttributes(image.getReference().getAttributes())
                .setModel(model)
                .setVocabularyEpoch(scores.labels().epoch())
                .setCause(cause)
                .setTaggedAt(now)
                .build();
        return contracts.tagEvent().serializer().serialize(config.topic(TagstreamConfig.TAGS_TOPIC), event);
    }

    /** The difference between two tag sets; empty where there is none. */
    private Optional<byte[]> tagChange(List<Tag> before, List<Tag> after, Cause cause, long epoch, Instant now) {
        Map<String, Tag> gone = new HashMap<>();
        before.forEach(tag -> gone.put(tag.getLabelId(), tag));
        List<Tag> added = new ArrayList<>();
        List<Tag> rescored = new ArrayList<>();
        for (Tag tag : after) {
            Tag old = gone.remove(tag.getLabelId());
            if (old == null) {
                added.add(tag);
            } else if (differs(old, tag)) {
                rescored.add(tag);
            }
        }
        List<Tag> removed = before.stream()
                .filter(tag -> gone.containsKey(tag.getLabelId()))
                .toList();
        if (added.isEmpty() && removed.isEmpty() && rescored.isEmpty()) {
            return Optional.empty();
        }
        TagChange change = new TagChange(added, removed, rescored, cause, epoch, now);
        return Optional.of(
                contracts.tagChange().serializer().serialize(config.topic(TagstreamConfig.TAG_CHANGES_TOPIC), change));
    }

    private static boolean differs(Tag old, Tag now) {
        return !old.getName().equals(now.getName())
                || old.getThreshold() != now.getThreshold()
                || Math.abs(old.getScore() - now.getScore()) > SCORE_TOLERANCE;
    }

    private Output imageFailure(ImageFailure failure) {
        byte[] value = contracts
                .imageFailure()
                .serializer()
                .serialize(config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC), failure);
        return new Output(TaggingTopology.IMAGE_FAILURES_SINK, value);
    }
}
