/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.inference.ModelRuntimes;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
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
import io.tagstream.model.batch.Device;
import io.tagstream.model.batch.PipelineOptions;
import io.tagstream.model.batch.ScoringPipeline;
import io.tagstream.model.batch.Stages;
import io.tagstream.model.image.EncodedImage;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.ImageFetcher;
import io.tagstream.model.image.ImageSize;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/** The model of {@link Words} behind the real fetcher and the real pipeline; only decoding and inference are fakes. */
final class WordModel implements ModelRuntime {
    private static final int LONGEST_IMAGE = 512;
    /** A system property: how many bytes the features of an image have. */
    static final String FEATURE_BYTES_KEY = "laboratory.feature.bytes";

    /** A system property: which release of the model this is, counting from 1. */
    static final String RELEASE_KEY = "laboratory.model.release";

    private static final int RELEASE = Integer.getInteger(RELEASE_KEY, 1);

    /** The number of bytes, the bytes, and padding. */
    private static final int FEATURE_BYTES = Integer.getInteger(FEATURE_BYTES_KEY, Integer.BYTES + LONGEST_IMAGE);

    private static final int BATCH = 8;
    private static final int CACHED_IMAGES = 64;
    private static final double CANDIDATE_CUTOFF = 0;
    private static final int LONGEST_BATCH_MILLIS = 15;

    /** Stands in for the fingerprint of a text encoder: any 64 hexadecimal digits. */
    private static final String TEXT_FINGERPRINT = "1ab0".repeat(16);

    private final ModelDescription description = describe(RELEASE);
    private final ImageFetcher fetcher;
    private final ScoringPipeline pipeline;

    WordModel(TagstreamConfig config) {
        int concurrency = config.getInt(InferenceKeys.FETCH_CONCURRENCY);
        fetcher = new ImageFetcher(FetchOptions.builder()
                .allowPrivateAddresses(config.getBoolean(InferenceKeys.FETCH_ALLOW_PRIVATE))
                .concurrency(concurrency)
                .timeout(Duration.ofMillis(config.getInt(InferenceKeys.FETCH_TIMEOUT_MILLIS)))
                .maxBytes(LONGEST_IMAGE)
                .build());
        pipeline = new ScoringPipeline(
                new WordStages(),
                PipelineOptions.builder()
                        .maxAccepted(config.getInt(TagstreamConfig.MODEL_MAX_ACCEPTED))
                        .maxInFlight(config.getInt(InferenceKeys.MODEL_MAX_IN_FLIGHT))
                        .fetchThreads(concurrency)
                        .decodeThreads(2)
                        .batchSize(BATCH)
                        .batchWait(Duration.ofMillis(config.getInt(InferenceKeys.MODEL_BATCH_WAIT_MILLIS)))
                        .cachedImages(CACHED_IMAGES)
                        .retry(ModelRuntimes.retry(config))
                        .build(),
                new CompositeMeterRegistry());
    }

    /** The description of a release. */
    static ModelDescription describe(int release) {
        return ModelDescription.builder()
                .id("words")
                .version(Integer.toString(release))
                .generation(release)
                .textFingerprint(TEXT_FINGERPRINT)
                .embeddingSize(Words.EMBEDDING_SIZE)
                .defaultThreshold(Words.DEFAULT_THRESHOLD)
                .topK(Words.TOP_K)
                .featureBytes(FEATURE_BYTES)
                .candidateCutoff(CANDIDATE_CUTOFF)
                .build();
    }

    @Override
    public ModelDescription description() {
        return description;
    }

    @Override
    public LabelVector encodeLabel(LabelText text) throws LabelTextException {
        if (text.name().isBlank()) {
            throw new LabelTextException(LabelTextException.Reason.EMPTY_NAME, "The label's name is empty");
        }
        return new LabelVector(Words.vector(text.name()), 0, 1);
    }

    @Override
    public boolean isSaturated() {
        return pipeline.isSaturated();
    }

    @Override
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        return pipeline.trySubmit(request, labels);
    }

    @Override
    public Optional<CompletableFuture<float[][]>> tryScore(
            List<ImageFeatures> images, LabelVectors labels, Priority priority) {
        return pipeline.tryScore(images, labels, priority);
    }

    /** A label that the image has stands out by as much as its score. */
    @Override
    public List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) throws ImageException {
        if (image.bytes().length != FEATURE_BYTES) {
            throw new ImageException(FailureReason.MODEL_ERROR, "features of another model");
        }
        List<LabelEvidence> evidence = new ArrayList<>();
        for (float score : scores(image, labels)) {
            evidence.add(new LabelEvidence(score, score, score, true));
        }
        return evidence;
    }

    private static float[] scores(ImageFeatures image, LabelVectors labels) {
        ByteBuffer content = ByteBuffer.wrap(image.bytes());
        byte[] bytes = new byte[content.getInt()];
        content.get(bytes);
        List<String> words = Words.of(bytes);
        float[] scores = new float[labels.size()];
        float[] label = new float[Words.EMBEDDING_SIZE];
        FloatBuffer vectors = labels.vectors();
        for (int i = 0; i < scores.length; i++) {
            vectors.get(label);
            scores[i] = Words.score(words, label, RELEASE);
        }
        return scores;
    }

    @Override
    public void close() {
        pipeline.close();
        fetcher.close();
    }

    /** Pixels and features are an image's bytes, preceded by their number. Every label is scored, selected or not. */
    private final class WordStages implements Stages, Device {
        private List<ImageFeatures> batch = List.of();

        @Override
        public String source(ImageRequest request) {
            return ImageFetcher.source(request);
        }

        @Override
        public EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException {
            return fetcher.fetch(request, longest);
        }

        @Override
        public int pixelBytes() {
            return FEATURE_BYTES;
        }

        @Override
        public ImageSize decode(EncodedImage image, ByteBuffer target) throws ImageException {
            byte[] bytes = image.bytes();
            if (Words.of(bytes).contains(Words.CORRUPT)) {
                throw new ImageException(FailureReason.CORRUPT_IMAGE, "the image does not decode");
            }
            target.clear().putInt(bytes.length).put(bytes);
            return new ImageSize(bytes.length, 1);
        }

        @Override
        public String name() {
            return "words";
        }

        @Override
        public List<Device> devices() {
            return List.of(this);
        }

        @Override
        public void load(List<ByteBuffer> pixels) {
            batch = new ArrayList<>();
            for (ByteBuffer image : pixels) {
                byte[] features = new byte[FEATURE_BYTES];
                int length = Integer.BYTES + image.getInt(0);
                image.get(0, features, 0, length); // beyond that are the bytes of another image
                batch.add(new ImageFeatures(features));
            }
        }

        @Override
        public List<ImageFeatures> encode(int images) throws InterruptedException {
            Thread.sleep(ThreadLocalRandom.current().nextInt(LONGEST_BATCH_MILLIS));
            return batch;
        }

        @Override
        public int featureBytes() {
            return FEATURE_BYTES;
        }

        @Override
        public int imagesPerPart(LabelVectors labels) {
            return BATCH;
        }

        @Override
        public float[][] score(List<ImageFeatures> images, LabelVectors labels) {
            return images.stream().map(image -> scores(image, labels)).toArray(float[][]::new);
        }
    }
}
