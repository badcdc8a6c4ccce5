/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.Cause;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageScores;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.Contracts;
import io.tagstream.topology.TagstreamConfig;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** Makes outcomes of scores and failures: which labels become tags, what changed, and why. Stateless. */
final class OutcomeFactory {
    /** Scores that differ by no more than this are the same. */
    static final double SCORE_TOLERANCE = 1e-3;

    private static final int LONGEST_MESSAGE = 2_000;

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final Model model;
    private final double defaultThreshold;
    private final int topK;
    private final OptionalDouble minScore;

    OutcomeFactory(TagstreamConfig config, Contracts contracts, ModelDescription description) {
        this.config = config;
        this.contracts = contracts;
        this.model = new Model(description.id(), description.version());
        this.defaultThreshold = description.defaultThreshold();
        this.topK = config.topK().orElse(description.topK());
        this.minScore = config.minScore();
    }

    /** An image's tags: active labels whose score reaches their threshold, best first, at most top-K. */
    List<Tag> tags(ImageScores<VocabularySnapshot> scores) {
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
    Cause cause(Optional<ImageMeta> before, String sha256, long epoch) {
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

    ImageMeta meta(PendingImage image, ImageScores<VocabularySnapshot> scores, List<Tag> tags) {
        return new ImageMeta(
                image.getOrigin(), scores.sha256(), model, scores.labels().epoch(), tags);
    }

    byte[] tagEvent(
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
    Optional<byte[]> tagChange(List<Tag> before, List<Tag> after, Cause cause, long epoch, Instant now) {
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

    byte[] imageFailure(PendingImage image, ImageException failure, Instant now) {
        String message = String.valueOf(failure.getMessage());
        ImageFailure event = ImageFailure.newBuilder()
                .setReference(image.getReference())
                .setReason(ImageFailureReason.valueOf(failure.reason().name()))
                .setMessage(
                        message.length() > LONGEST_MESSAGE ? message.substring(0, LONGEST_MESSAGE) + "..." : message)
                .setAttempts(failure.attempts())
                .setFailedAt(now)
                .setOrigin(image.getOrigin())
                .setTimestamp(Instant.ofEpochMilli(image.getTimestamp()))
                .build();
        return contracts
                .imageFailure()
                .serializer()
                .serialize(config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC), event);
    }
}
