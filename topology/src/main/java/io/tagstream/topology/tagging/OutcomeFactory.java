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
import io.tagstream.avro.state.LabelScore;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.RecordHeader;
import io.tagstream.avro.state.TagTurn;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.ModelDescription;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.records.Shortened;
import io.tagstream.topology.tagging.Outcome.Knowledge;
import io.tagstream.topology.tagging.Outcome.Output;
import io.tagstream.topology.vocabulary.LabelLimits;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Makes outcomes from scores and failures: which labels become tags, what changed, and why. Every outcome fits into
 * Kafka's records. Stateless.
 */
final class OutcomeFactory {
    /** Scores that differ by no more than this are the same, and the one that was reported first stays. */
    static final double SCORE_TOLERANCE = 1e-3;

    private static final Comparator<Tag> BEST_FIRST =
            Comparator.comparing(Tag::getScore).reversed().thenComparing(Tag::getLabelId);

    /** The most gained and lost tags to remember for an image. */
    static final int LONGEST_HISTORY = 32;

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final RecordLimit limit;
    private final Model model;
    private final double defaultThreshold;
    private final int defaultTopK;
    private final Serializer<ImageMeta> metas = new StateSerde<>(ImageMeta.class).serializer();

    OutcomeFactory(TagstreamConfig config, Contracts contracts, RecordLimit limit, ModelDescription description) {
        this.config = config;
        this.contracts = contracts;
        this.limit = limit;
        this.model = new Model(description.id(), description.version());
        this.defaultThreshold = description.defaultThreshold();
        this.defaultTopK = description.topK();
    }

    /** The model, as it is named in the stored image state. */
    Model model() {
        return model;
    }

    /** The score from which a label is emitted. */
    double threshold(VocabularySnapshot vocabulary, VocabularyLabel label) {
        return threshold(vocabulary, label.threshold());
    }

    /** The score from which a label with this threshold of its own, or none, is emitted. */
    double threshold(VocabularySnapshot vocabulary, OptionalDouble own) {
        Double minScore = vocabulary.rules().getPolicy().getMinScore();
        return minScore == null ? own.orElse(defaultThreshold) : minScore;
    }

    /** What must be decoded to bring images from an epoch to a newer one. */
    VocabularyDelta delta(VocabularySnapshot newer, long from) {
        return new VocabularyDelta(newer, from, label -> threshold(newer, label));
    }

    /**
     * The image's tags, or a failure if they do not fit.
     *
     * @param before what was known about the image
     */
    Outcome tagged(
            PendingImage image, ImageScores<VocabularySnapshot> scores, Optional<ImageMeta> before, Instant now) {
        VocabularySnapshot vocabulary = scores.labels();
        ImageMeta meta = ImageMeta.newBuilder()
                .setOrigin(image.getOrigin())
                .setUri(image.getReference().getUri())
                .setAttributes(image.getReference().getAttributes())
                .setSha256(scores.sha256())
                .setWidth(scores.width())
                .setHeight(scores.height())
                .setModel(model)
                .setVocabularyEpoch(vocabulary.epoch())
                .setTags(List.of())
                .setHistory(before.map(ImageMeta::getHistory).orElse(List.of()))
                .build();
        List<Tag> tagsBefore = before.map(ImageMeta::getTags).orElse(List.of());
        Cause cause = cause(before, scores.sha256(), vocabulary.epoch());
        Optional<TagChange> change = score(meta, tagsBefore, vocabulary, scores.scores(), cause, now);
        Headers headers = headers(image);
        Outcome outcome = emitted(meta, change, cause, vocabulary, headers, now);
        Optional<String> tooLarge = tooLarge(image.getImageId(), outcome, headers);
        return tooLarge.isEmpty()
                ? outcome
                : failed(image, ImageFailureReason.RECORD_TOO_LARGE, tooLarge.get(), 1, now);
    }

    /**
     * A known image's tags under a vocabulary that it has not followed yet. If the tags stay the same, nothing is
     * written to topics, and the stored state changes only if the image's scores do.
     *
     * @param scores the scores of all labels
     * @return empty if the tags do not fit into a record
     */
    Optional<Outcome> retagged(
            String imageId, ImageMeta known, VocabularySnapshot vocabulary, float[] scores, Instant now) {
        Cause cause = known.getModel().equals(model) ? Cause.VOCABULARY_CHANGED : Cause.MODEL_CHANGED;
        ImageMeta meta = ImageMeta.newBuilder(known)
                .setModel(model)
                .setStale(false)
                .setVocabularyEpoch(vocabulary.epoch())
                .build();
        Optional<TagChange> change = score(meta, known.getTags(), vocabulary, scores, cause, now);
        boolean scoredAlike = !known.getStale()
                && known.getModel().equals(model)
                && known.getSelection().equals(meta.getSelection())
                && known.getScores().equals(meta.getScores());
        if (change.isEmpty()) {
            return Optional.of(new Outcome(
                    List.of(), new RecordHeaders(), scoredAlike ? Knowledge.AS_BEFORE : Knowledge.of(meta)));
        }
        Headers none = new RecordHeaders();
        Outcome outcome = emitted(meta, change, cause, vocabulary, none, now);
        return tooLarge(imageId, outcome, none).isEmpty() ? Optional.of(outcome) : Optional.empty();
    }

    /**
     * A known image's tags as they are, for a topic that has lost them. The cause is that of their latest change.
     *
     * @param epoch the vocabulary epoch that the image has followed
     */
    Outcome again(ImageMeta known, long epoch, Instant now) {
        List<TagTurn> history = known.getHistory();
        Cause cause = history.isEmpty()
                ? Cause.NEW_IMAGE
                : history.get(history.size() - 1).getCause();
        boolean exact = Stream.of(LabelSelection.ALL, LabelSelection.CANDIDATES)
                .anyMatch(selection -> selection.toString().equals(known.getSelection()));
        Output tags = new Output(TaggingTopology.TAGS_SINK, tagEvent(known, exact, epoch, cause, now));
        return new Outcome(List.of(tags), new RecordHeaders(), Knowledge.AS_BEFORE);
    }

    /** Sets the tags and scores of an image; returns how its tags change. */
    private Optional<TagChange> score(
            ImageMeta meta, List<Tag> before, VocabularySnapshot vocabulary, float[] scores, Cause cause, Instant now) {
        meta.setTags(asReported(tags(vocabulary, scores), before));
        meta.setScores(kept(vocabulary, scores));
        meta.setSelection(vocabulary.selection().toString());
        Optional<TagChange> change = tagChange(before, meta.getTags(), cause, vocabulary.epoch(), now);
        change.ifPresent(changed -> meta.setHistory(history(meta.getHistory(), changed)));
        return change;
    }

    private Outcome emitted(
            ImageMeta meta,
            Optional<TagChange> change,
            Cause cause,
            VocabularySnapshot vocabulary,
            Headers headers,
            Instant now) {
        List<Output> outputs = new ArrayList<>();
        outputs.add(new Output(
                TaggingTopology.TAGS_SINK,
                tagEvent(meta, vocabulary.selection().exact(), vocabulary.epoch(), cause, now)));
        change.ifPresent(changed -> outputs.add(changed(changed)));
        return new Outcome(outputs, headers, Knowledge.of(meta));
    }

    /** Why an outcome with tags does not fit into Kafka's records; empty if it does. */
    private Optional<String> tooLarge(String imageId, Outcome outcome, Headers headers) {
        byte[] key = imageId.getBytes(StandardCharsets.UTF_8);
        ImageMeta meta = outcome.knowledge().meta().orElseThrow();
        Map<String, byte[]> records = new LinkedHashMap<>();
        outcome.outputs().forEach(output -> records.put(output.sink(), output.value()));
        records.put(TaggingTopology.IMAGE_META_STORE, metas.serialize(null, meta));
        for (Map.Entry<String, byte[]> record : records.entrySet()) {
            if (!limit.fits(key, record.getValue(), headers)) {
                return Optional.of(("%d tags and %d attributes need %d bytes on %s, but a record holds at most %d"
                                + " (kafka.max.request.size)")
                        .formatted(
                                meta.getTags().size(),
                                meta.getAttributes().size(),
                                RecordLimit.sizeOf(key, record.getValue(), headers),
                                record.getKey(),
                                limit.bytes()));
            }
        }
        return Optional.empty();
    }

    /** The deletion of an image. */
    Outcome deleted(PendingImage image, Optional<ImageMeta> before, Instant now) {
        List<Output> outputs = new ArrayList<>();
        outputs.add(new Output(TaggingTopology.TAGS_SINK, null));
        before.flatMap(known ->
                        tagChange(known.getTags(), List.of(), Cause.IMAGE_DELETED, known.getVocabularyEpoch(), now))
                .ifPresent(change -> outputs.add(changed(change)));
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
                .setMessage(Shortened.of(String.valueOf(message)))
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
    private List<Tag> tags(VocabularySnapshot vocabulary, float[] scores) {
        List<VocabularyLabel> labels = vocabulary.labels();
        List<Tag> tags = new ArrayList<>();
        for (int i = 0; i < labels.size(); i++) {
            if (scores[i] == ImageScores.NOT_DECODED) {
                continue; // like nearly all labels when an image follows a change
            }
            VocabularyLabel label = labels.get(i);
            double threshold = threshold(vocabulary, label);
            if (label.active() && scores[i] >= threshold) {
                tags.add(new Tag(label.id(), label.name(), scores[i], (float) threshold));
            }
        }
        tags.sort(BEST_FIRST);
        Integer most = vocabulary.rules().getPolicy().getTopK();
        int topK = most == null ? defaultTopK : most;
        return tags.size() > topK ? new ArrayList<>(tags.subList(0, topK)) : tags;
    }

    /**
     * The tags with the scores that were reported for them, where these differ by no more than the tolerance. The
     * changes that follow are measured from there: small differences would otherwise add up unreported.
     */
    private static List<Tag> asReported(List<Tag> tags, List<Tag> before) {
        Map<String, Tag> reported = new HashMap<>();
        before.forEach(tag -> reported.put(tag.getLabelId(), tag));
        return tags.stream()
                .map(tag -> {
                    Tag old = reported.get(tag.getLabelId());
                    return old == null || differs(old, tag) ? tag : old;
                })
                .sorted(BEST_FIRST)
                .toList();
    }

    /** How many tags an image would get from shadow labels if they were active. */
    int shadowTags(ImageScores<VocabularySnapshot> scores) {
        List<VocabularyLabel> labels = scores.labels().labels();
        int tags = 0;
        for (int i = 0; i < labels.size(); i++) {
            if (!labels.get(i).active() && scores.scores()[i] >= threshold(scores.labels(), labels.get(i))) {
                tags++;
            }
        }
        return tags;
    }

    /** Scores from the floor upwards, so that thresholds can change without reading the image. */
    private List<LabelScore> kept(VocabularySnapshot vocabulary, float[] scores) {
        List<VocabularyLabel> labels = vocabulary.labels();
        List<LabelScore> kept = new ArrayList<>();
        double floor = vocabulary.rules().getPolicy().getScoresFloor();
        for (int i = 0; i < labels.size(); i++) {
            if (scores[i] != ImageScores.NOT_DECODED
                    && scores[i] >= Math.min(floor, threshold(vocabulary, labels.get(i))) // those of tags always are
                    && LabelLimits.isEmitted(labels.get(i).id())) {
                kept.add(new LabelScore(labels.get(i).id(), scores[i]));
            }
        }
        return kept;
    }

    private static List<TagTurn> history(List<TagTurn> before, TagChange change) {
        List<TagTurn> history = new ArrayList<>(before);
        change.getRemoved().forEach(tag -> history.add(turn(tag, false, change)));
        change.getAdded().forEach(tag -> history.add(turn(tag, true, change)));
        int tooMany = Math.max(0, history.size() - LONGEST_HISTORY);
        return new ArrayList<>(history.subList(tooMany, history.size()));
    }

    private static TagTurn turn(Tag tag, boolean added, TagChange change) {
        return new TagTurn(
                tag.getLabelId(),
                tag.getName(),
                added,
                tag.getScore(),
                change.getCause(),
                change.getVocabularyEpoch(),
                change.getChangedAt());
    }

    /** Why an image has its present tags, given what was known about it. */
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

    private byte[] tagEvent(ImageMeta meta, boolean exact, long epoch, Cause cause, Instant now) {
        String version = exact
                ? meta.getModel().getVersion()
                : meta.getModel().getVersion() + "+" + meta.getSelection(); // its scores are not comparable with others
        TagEvent event = TagEvent.newBuilder()
                .setUri(meta.getUri())
                .setSha256(meta.getSha256())
                .setWidth(meta.getWidth())
                .setHeight(meta.getHeight())
                .setTags(meta.getTags())
                .setAttributes(meta.getAttributes())
                .setModel(new Model(meta.getModel().getId(), version))
                .setVocabularyEpoch(epoch)
                .setCause(cause)
                .setTaggedAt(now)
                .build();
        return contracts.tagEvent().serializer().serialize(config.topic(TagstreamConfig.TAGS_TOPIC), event);
    }

    /** The difference between two tag sets; empty if there is none. */
    private static Optional<TagChange> tagChange(
            List<Tag> before, List<Tag> after, Cause cause, long epoch, Instant now) {
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
        return Optional.of(new TagChange(added, removed, rescored, cause, epoch, now));
    }

    private Output changed(TagChange change) {
        byte[] value =
                contracts.tagChange().serializer().serialize(config.topic(TagstreamConfig.TAG_CHANGES_TOPIC), change);
        return new Output(TaggingTopology.TAG_CHANGES_SINK, value);
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
