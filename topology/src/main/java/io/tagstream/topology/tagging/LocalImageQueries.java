/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.Tag;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.LabelScore;
import io.tagstream.avro.state.SweepState;
import io.tagstream.avro.state.TagTurn;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.Priority;
import io.tagstream.topology.query.Explanation;
import io.tagstream.topology.query.ImageQueries;
import io.tagstream.topology.query.Preview;
import io.tagstream.topology.query.QueryUnavailableException;
import io.tagstream.topology.query.SimilarImage;
import io.tagstream.topology.query.SweepProgress;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyQueryMetadata;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsMetadata;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.state.HostInfo;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers queries about the images of this instance's partitions, from the stores of its tasks, and tells which
 * instance knows about other images.
 *
 * <p><i>Threading notes.</i> May be called from any thread, which waits for its answer: a preview scores every known
 * image, with lower priority than fresh images. Stores are read while their tasks write them: an answer may include
 * uncommitted data.
 */
public final class LocalImageQueries implements ImageQueries {
    private static final Logger log = LoggerFactory.getLogger(LocalImageQueries.class);

    /** The thresholds at which a preview counts: close together where a rare word's images score. */
    private static final double[] THRESHOLDS = {
        0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95
    };

    /** The number of images to score at a time. */
    private static final int BATCH = 64;

    private static final Duration NO_ROOM = Duration.ofMillis(20);

    private final Supplier<KafkaStreams> streams;
    private final Optional<HostInfo> self;
    private final TaggingContext shared;

    /**
     * Queries a running topology.
     *
     * @param streams the topology as it runs now
     * @param self the address at which other instances can query this one, if they can
     */
    public LocalImageQueries(Supplier<KafkaStreams> streams, Optional<HostInfo> self, TaggingContext shared) {
        this.streams = streams;
        this.self = self;
        this.shared = shared;
    }

    /** The other instance that knows about an image; empty if it is this instance's, or if nobody knows. */
    public Optional<HostInfo> elsewhere(String imageId) {
        KeyQueryMetadata where = running(() ->
                streams.get().queryMetadataForKey(TaggingTopology.IMAGE_META_STORE, imageId, new StringSerializer()));
        boolean local = shared.sweeps().containsKey(where.partition());
        return local || where.activeHost().equals(HostInfo.unavailable()) || where.partition() < 0
                ? Optional.empty()
                : Optional.of(where.activeHost());
    }

    /** The other instances that know about images, as far as they can be queried. */
    public Set<HostInfo> others() {
        Collection<StreamsMetadata> instances =
                running(() -> streams.get().streamsMetadataForStore(TaggingTopology.IMAGE_META_STORE));
        Set<HostInfo> others =
                instances.stream().map(StreamsMetadata::hostInfo).collect(Collectors.toCollection(HashSet::new));
        others.remove(HostInfo.unavailable());
        self.ifPresent(others::remove);
        return others;
    }

    @Override
    public Preview preview(LabelText text, OptionalDouble threshold, int best) throws LabelTextException {
        LabelVectors label =
                new OneLabel(shared.runtime().encodeLabel(text), vocabulary().selection());
        double emittedFrom = shared.outcomes().threshold(vocabulary(), threshold);
        Tally tally = new Tally(
                DoubleStream.concat(Arrays.stream(THRESHOLDS), DoubleStream.of(emittedFrom))
                        .sorted()
                        .distinct()
                        .toArray(),
                best);
        for (int partition : shared.sweeps().keySet()) {
            scan(partition, label, tally);
        }
        return tally.preview(emittedFrom);
    }

    @Override
    public List<SimilarImage> similar(String text, int count) throws LabelTextException {
        return preview(new LabelText(text, List.of()), OptionalDouble.empty(), count).best().stream()
                .map(image -> new SimilarImage(image.imageId(), image.uri(), image.score()))
                .toList();
    }

    @Override
    public SweepProgress progress() {
        Collection<SweepStatus> tasks = shared.sweeps().values();
        long total = tasks.stream().mapToLong(SweepStatus::images).sum();
        long left = tasks.stream().mapToLong(SweepStatus::left).sum();
        return new SweepProgress(
                shared.vocabulary().epoch(),
                total - left,
                total,
                tasks.stream()
                        .anyMatch(task -> task.active()
                                || task.epoch() < shared.vocabulary().epoch()));
    }

    @Override
    public Optional<Explanation> explain(String imageId) {
        // an instance that others cannot query is not told which partition a key belongs to
        for (int partition : shared.sweeps().keySet()) {
            ImageMeta image = this.<String, ImageMeta>store(TaggingTopology.IMAGE_META_STORE, partition)
                    .get(imageId);
            if (image != null) {
                return Optional.of(explanation(partition, imageId, image));
            }
        }
        return Optional.empty();
    }

    private Explanation explanation(int partition, String imageId, ImageMeta image) {
        VocabularySnapshot vocabulary = vocabulary();
        SweepState sweep = this.<String, SweepState>store(TaggingTopology.SWEEP_STORE, partition)
                .get(KnownImages.SWEEP_KEY);
        long epoch = sweep == null
                ? image.getVocabularyEpoch()
                : KnownImages.epoch(imageId, image, KnownImages.coverage(sweep));
        Optional<List<LabelEvidence>> evidence =
                features(partition, imageId, image).flatMap(features -> evidence(imageId, features, vocabulary));
        Map<String, Float> kept =
                image.getScores().stream().collect(Collectors.toMap(LabelScore::getLabelId, LabelScore::getScore));
        Set<String> emitted = image.getTags().stream().map(Tag::getLabelId).collect(Collectors.toSet());
        List<Explanation.LabelScore> labels = new ArrayList<>();
        for (int i = 0; i < vocabulary.size(); i++) {
            VocabularyLabel label = vocabulary.labels().get(i);
            Optional<LabelEvidence> speaking =
                    evidence.isPresent() ? Optional.of(evidence.get().get(i)) : Optional.empty();
            boolean decoded = vocabulary.selection().kind() != LabelSelection.Kind.CANDIDATES
                    || speaking.map(LabelEvidence::candidate).orElse(kept.containsKey(label.id()));
            Double score = speaking.filter(known -> decoded)
                    .map(known -> (double) known.score())
                    .orElse(kept.containsKey(label.id()) ? (double) kept.get(label.id()) : null);
            labels.add(Explanation.LabelScore.builder()
                    .labelId(label.id())
                    .name(label.name())
                    .score(score)
                    .threshold(shared.outcomes().threshold(vocabulary, label))
                    .active(label.active())
                    .prompts(label.prompts())
                    .candidate(decoded)
                    .promise(speaking.map(known -> (double) known.promise()).orElse(null))
                    .standardisedCosine(speaking.map(known -> (double) known.standardisedCosine())
                            .orElse(null))
                    .emitted(emitted.contains(label.id()))
                    .build());
        }
        return Explanation.builder()
                .imageId(imageId)
                .uri(image.getUri())
                .sha256(image.getSha256())
                .modelId(image.getModel().getId())
                .modelVersion(image.getModel().getVersion())
                .vocabularyEpoch(epoch)
                .stale(image.getStale())
                .selection(vocabulary.selection().toString())
                .candidateCutoff(shared.runtime().description().candidateCutoff())
                .labels(labels.stream()
                        .sorted(Explanation.LabelScore.BEST_FIRST)
                        .toList())
                .history(newestFirst(image.getHistory()))
                .build();
    }

    private static List<Explanation.TagHistory> newestFirst(List<TagTurn> turns) {
        List<Explanation.TagHistory> history = new ArrayList<>();
        for (TagTurn turn : turns) {
            history.add(0, turn(turn));
        }
        return history;
    }

    private static Explanation.TagHistory turn(TagTurn turn) {
        return new Explanation.TagHistory(
                turn.getLabelId(),
                turn.getName(),
                turn.getAdded() ? Explanation.Change.ADDED : Explanation.Change.REMOVED,
                turn.getCause().name(),
                turn.getVocabularyEpoch(),
                turn.getAt(),
                (double) turn.getScore());
    }

    /** What the model says about each label; empty if it fails, which is logged: the kept scores still count. */
    private Optional<List<LabelEvidence>> evidence(
            String imageId, ImageFeatures features, VocabularySnapshot vocabulary) {
        try {
            return Optional.of(shared.runtime().explain(features, vocabulary));
        } catch (ImageException e) {
            log.warn("Image {} cannot be explained from its features", ImageName.quoted(imageId), e);
            return Optional.empty();
        }
    }

    private Optional<ImageFeatures> features(int partition, String imageId, ImageMeta image) {
        return FeatureStore.find(
                store(TaggingTopology.IMAGE_FEATURES_STORE, partition),
                imageId,
                image,
                shared.outcomes().model());
    }

    private void scan(int partition, LabelVectors label, Tally tally) {
        ReadOnlyKeyValueStore<String, ImageMeta> metas = store(TaggingTopology.IMAGE_META_STORE, partition);
        List<KeyValue<String, ImageMeta>> batch = new ArrayList<>();
        List<ImageFeatures> features = new ArrayList<>();
        try (KeyValueIterator<String, ImageMeta> images = metas.all()) {
            while (images.hasNext()) {
                KeyValue<String, ImageMeta> image;
                try {
                    image = images.next();
                } catch (SerializationException e) {
                    log.debug("An image that cannot be read counts as unknown", e);
                    tally.unknown++;
                    continue;
                }
                Optional<ImageFeatures> kept = features(partition, image.key, image.value);
                if (kept.isEmpty()) {
                    tally.unknown++;
                    continue;
                }
                batch.add(image);
                features.add(kept.get());
                if (batch.size() == BATCH) {
                    tally.add(batch, score(features, label));
                    batch.clear();
                    features.clear();
                }
            }
        }
        if (!batch.isEmpty()) {
            tally.add(batch, score(features, label));
        }
    }

    private float[][] score(List<ImageFeatures> features, LabelVectors label) {
        try {
            Optional<CompletableFuture<float[][]>> scores =
                    shared.runtime().tryScore(List.copyOf(features), label, Priority.BACKGROUND);
            while (scores.isEmpty()) {
                Thread.sleep(NO_ROOM.toMillis());
                scores = shared.runtime().tryScore(List.copyOf(features), label, Priority.BACKGROUND);
            }
            return scores.get().get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueryUnavailableException("The query was interrupted", e);
        } catch (ExecutionException e) {
            throw new QueryUnavailableException(
                    "The model failed: " + e.getCause().getMessage(), e);
        }
    }

    private VocabularySnapshot vocabulary() {
        return shared.vocabulary()
                .snapshot()
                .orElseThrow(() -> new QueryUnavailableException(
                        "The vocabulary is not known yet: "
                                + shared.vocabulary().notReadyBecause().orElse("starting"),
                        null));
    }

    private <K, V> ReadOnlyKeyValueStore<K, V> store(String name, int partition) {
        return running(() -> streams.get()
                .store(StoreQueryParameters.fromNameAndType(name, QueryableStoreTypes.<K, V>keyValueStore())
                        .withPartition(partition)));
    }

    private static <T> T running(Supplier<T> question) {
        try {
            return question.get();
        } catch (InvalidStateStoreException | IllegalStateException e) {
            throw new QueryUnavailableException(
                    "The stores cannot be read while partitions move or the stream starts: " + e.getMessage(), e);
        }
    }

    /** A preview's counts. */
    private static final class Tally {
        private final double[] thresholds;
        private final int most;
        private final List<Preview.ScoredImage> best = new ArrayList<>();
        private final Map<Double, Long> matches = new HashMap<>();
        private long known;
        private long unknown;

        Tally(double[] thresholds, int most) {
            this.thresholds = thresholds;
            this.most = most;
        }

        void add(List<KeyValue<String, ImageMeta>> images, float[][] scores) {
            known += images.size();
            for (int i = 0; i < images.size(); i++) {
                float score = scores[i][0];
                for (double threshold : thresholds) {
                    if (score >= threshold) {
                        matches.merge(threshold, 1L, Long::sum);
                    }
                }
                if (score != ImageScores.NOT_DECODED) {
                    best.add(new Preview.ScoredImage(
                            images.get(i).key, images.get(i).value.getUri(), score));
                }
            }
            best.sort(Preview.ScoredImage.BEST_FIRST);
            best.subList(Math.min(most, best.size()), best.size()).clear();
        }

        Preview preview(double emittedFrom) {
            List<Preview.Matches> counted = new ArrayList<>();
            for (double threshold : thresholds) {
                counted.add(new Preview.Matches(threshold, matches.getOrDefault(threshold, 0L)));
            }
            return new Preview(known, unknown, emittedFrom, counted, best);
        }
    }

    /** A single label that is in no vocabulary. */
    private static final class OneLabel implements LabelVectors {
        private final LabelVector label;
        private final LabelSelection selection;
        private final FloatBuffer vector;

        OneLabel(LabelVector label, LabelSelection selection) {
            this.label = label;
            this.selection = selection.exact() ? selection : LabelSelection.ALL;
            this.vector = ByteBuffer.allocateDirect(Float.BYTES * label.vector().length)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer()
                    .put(label.vector())
                    .flip()
                    .asReadOnlyBuffer();
        }

        @Override
        public int size() {
            return 1;
        }

        @Override
        public FloatBuffer vectors() {
            return vector.duplicate();
        }

        @Override
        public float referenceMean(int place) {
            return label.referenceMean();
        }

        @Override
        public float referenceDeviation(int place) {
            return label.referenceDeviation();
        }

        @Override
        public LabelSelection selection() {
            return selection;
        }
    }
}
