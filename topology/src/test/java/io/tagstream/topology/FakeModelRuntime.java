/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.KnownImage;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelVector;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.ModelRuntime;
import io.tagstream.model.Priority;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * A model with exact arithmetic, zero-shot like the real one: a word's vector is drawn from the word alone, an image is
 * the words of its URI ({@code fake:dog+car}), and its score for a label is 1 if one of its words has the label's
 * vector, else 0.25. For an {@code any:} URI the score is an arbitrary number that depends only on URI and vector, and
 * so does whether the label is a candidate; {@code any:URI~N} scores N times {@link #NUDGE} more than {@code any:URI}.
 * Features have the same size whatever the version, as two models' may;
 * features of another version are scored without complaint, and wrongly. {@code fail:REASON} fails with that reason;
 * {@code throw:} triggers a bug, in a label's name too; a label named {@code hang:} is encoded after {@link #letGo}.
 *
 * <p>Images complete when {@link #complete} is called, or by themselves after a delay ({@link #completing}); those with
 * {@code hang:} URIs complete only after {@link #letGo}.
 */
public final class FakeModelRuntime implements ModelRuntime {
    public static final int EMBEDDING_SIZE = 4;
    public static final float OTHERS_SCORE = 0.25f;

    /** A difference between scores that is too small to report. */
    public static final float NUDGE = 0.0007f;

    /** The most nudges: the next score of an {@code any:} URI is 0.01 away. */
    public static final int MOST_NUDGES = 9;

    private final ModelDescription description;
    private final Semaphore room;
    private final ConcurrentLinkedQueue<Completion> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger encodedLabels = new AtomicInteger();
    private final AtomicInteger encodedImages = new AtomicInteger();
    private final AtomicInteger decodedPairs = new AtomicInteger();
    private final Set<String> gone = ConcurrentHashMap.newKeySet();
    private volatile boolean backgroundHeld;
    private final ScheduledExecutorService executor;
    private volatile boolean hanging = true;
    private final Random delays = new Random(1);
    private final int longestDelayMillis;

    private FakeModelRuntime(ModelDescription description, int capacity, int longestDelayMillis) {
        this.description = description;
        this.room = new Semaphore(capacity);
        this.longestDelayMillis = longestDelayMillis;
        this.executor = longestDelayMillis < 0
                ? null
                : Executors.newScheduledThreadPool(2, work -> {
                    Thread thread = new Thread(work, "fake-model");
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /** Images complete when told to complete. */
    public static FakeModelRuntime manual(int capacity) {
        return manual(describe("fake-1", 1, "text-1"), capacity);
    }

    public static FakeModelRuntime manual(ModelDescription description, int capacity) {
        return new FakeModelRuntime(description, capacity, -1);
    }

    /** Images complete by themselves, each after up to {@code longestDelayMillis}. */
    public static FakeModelRuntime completing(int capacity, int longestDelayMillis) {
        return new FakeModelRuntime(describe("fake-1", 1, "text-1"), capacity, longestDelayMillis);
    }

    public static FakeModelRuntime completing(ModelDescription description, int capacity, int longestDelayMillis) {
        return new FakeModelRuntime(description, capacity, longestDelayMillis);
    }

    /** A fake's description; {@code text} identifies its text encoder. */
    public static ModelDescription describe(String version, long generation, String text) {
        return describing(version, generation, text).build();
    }

    /** The same for a bundle with another id. */
    public static ModelDescription describe(String id, String version, long generation, String text) {
        return describing(version, generation, text).id(id).build();
    }

    /** Like {@link #describe}, for a test to change. */
    public static ModelDescription.Builder describing(String version, long generation, String text) {
        return ModelDescription.builder()
                .id("fake")
                .version(version)
                .generation(generation)
                .textFingerprint(sha256(text))
                .embeddingSize(EMBEDDING_SIZE)
                .defaultThreshold(0.5)
                .topK(8)
                .featureBytes(64)
                .candidateCutoff(0);
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
        if (text.name().startsWith("throw:")) {
            throw new IllegalStateException(text.name());
        }
        while (hanging
                && text.name().startsWith("hang:")
                && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        encodedLabels.incrementAndGet();
        String described =
                text.prompts().isEmpty() ? text.name() : text.prompts().get(0).replace("{}", text.name());
        return new LabelVector(vector(described), 0, 1);
    }

    /** How many texts were encoded. */
    public int encodedLabels() {
        return encodedLabels.get();
    }

    @Override
    public boolean isSaturated() {
        return false;
    }

    @Override
    public <L extends LabelVectors> Optional<CompletableFuture<ImageScores<L>>> trySubmit(
            ImageRequest request, Supplier<L> labels) {
        if (!room.tryAcquire()) {
            return Optional.empty();
        }
        CompletableFuture<ImageScores<L>> future = new CompletableFuture<>();
        Completion completion = () -> {
            if (request.uri().startsWith("fail:")) {
                FailureReason reason = FailureReason.valueOf(request.uri().substring(5));
                return landing(() ->
                        future.completeExceptionally(new ImageException(reason, "told to fail: " + request.uri())));
            }
            if (request.uri().startsWith("throw:")) {
                return landing(() -> future.completeExceptionally(new IllegalStateException(request.uri())));
            }
            L scoredAgainst = labels.get();
            String sha256 = sha256(request.uri());
            if (gone.contains(request.uri())) {
                return landing(() -> future.completeExceptionally(
                        new ImageException(FailureReason.FETCH_NOT_FOUND, "gone: " + request.uri())));
            }
            ImageFeatures features = request.known()
                    .filter(known -> known.sha256().equals(sha256))
                    .map(KnownImage::features)
                    .orElseGet(() -> encode(request.uri()));
            float[] scores = score(features, scoredAgainst);
            return landing(() -> future.complete(new ImageScores<>(scoredAgainst, scores, features, sha256, 640, 480)));
        };
        if (executor == null || (hanging && request.uri().startsWith("hang:"))) {
            waiting.add(completion);
        } else {
            int delay;
            synchronized (delays) {
                delay = delays.nextInt(longestDelayMillis + 1);
            }
            var unused = executor.schedule(() -> completion.score().run(), delay, TimeUnit.MILLISECONDS);
        }
        return Optional.of(future);
    }

    /** Features hold the version that made them and the URI: an image is its words. */
    private ImageFeatures encode(String uri) {
        encodedImages.incrementAndGet();
        return new ImageFeatures((description.version() + "\n" + uri).getBytes(StandardCharsets.UTF_8));
    }

    /** How many images were encoded. */
    public int encodedImages() {
        return encodedImages.get();
    }

    /** How many times an image was decoded against a label. */
    public int decodedPairs() {
        return decodedPairs.get();
    }

    /** From now on, nothing is found at this URI. */
    public void remove(String uri) {
        gone.add(uri);
    }

    /** While held, background work finds no room. */
    public void holdBackground(boolean held) {
        backgroundHeld = held;
    }

    @Override
    public Optional<CompletableFuture<float[][]>> tryScore(
            List<ImageFeatures> images, LabelVectors labels, Priority priority) {
        if (backgroundHeld && priority == Priority.BACKGROUND) {
            return Optional.empty();
        }
        CompletableFuture<float[][]> future = new CompletableFuture<>();
        Runnable score = () -> future.complete(
                images.stream().map(image -> score(image, labels)).toArray(float[][]::new));
        if (executor == null) {
            score.run();
        } else {
            executor.execute(score);
        }
        return Optional.of(future);
    }

    @Override
    public List<LabelEvidence> explain(ImageFeatures image, LabelVectors labels) {
        List<LabelEvidence> evidence = new ArrayList<>();
        for (float score : score(image, labels)) {
            evidence.add(new LabelEvidence(score, score, score, score > description.candidateCutoff()));
        }
        return evidence;
    }

    /** Lets {@code hang:} images complete like any other, including those that were submitted before. */
    public void letGo() {
        hanging = false;
        for (Completion next = waiting.poll(); next != null; next = waiting.poll()) {
            next.score().run();
        }
    }

    /** The number of images waiting to be completed. */
    public int waiting() {
        return waiting.size();
    }

    /** Scores the oldest waiting images as of now; their scores land when they are completed. */
    public void score(int images) {
        for (int i = 0; i < images; i++) {
            Runnable landing = waiting.remove().score();
            waiting.add(() -> landing);
        }
    }

    /** Completes the oldest waiting images. */
    public void complete(int images) {
        for (int i = 0; i < images; i++) {
            waiting.remove().score().run();
        }
    }

    /**
     * Scores the older of two waiting images, then calls {@code change}, then scores the newer one and lets it complete
     * before the older one does.
     */
    public void completeSecondUnderNewerVocabularyFirst(Runnable change) {
        Completion older = waiting.remove();
        Completion newer = waiting.remove();
        Runnable landing = older.score();
        change.run();
        newer.score().run();
        landing.run();
    }

    /** Completes every waiting image, the newest first. */
    public void completeAllReversed() {
        List<Completion> completions = new ArrayList<>();
        while (!waiting.isEmpty()) {
            completions.add(0, waiting.remove());
        }
        completions.forEach(completion -> completion.score().run());
    }

    @Override
    public void close() {
        hanging = false;
        if (executor != null) {
            executor.shutdownNow();
        }
    }

    /** Releases the image's room, then completes it. */
    private Runnable landing(Runnable complete) {
        return () -> {
            room.release();
            complete.run();
        };
    }

    /** A submitted image: scoring it returns the rest of the work needed to complete it. */
    private interface Completion {
        Runnable score();
    }

    private float[] score(ImageFeatures features, LabelVectors labels) {
        decodedPairs.addAndGet(labels.size());
        String[] madeOf = new String(features.bytes(), StandardCharsets.UTF_8).split("\n", 2);
        boolean own = madeOf[0].equals(description.version());
        String uri = madeOf[1];
        List<float[]> words = new ArrayList<>();
        for (String word : uri.substring(uri.indexOf(':') + 1).split("[+]", -1)) {
            words.add(vector(word));
        }
        FloatBuffer vectors = labels.vectors();
        float[] scores = new float[labels.size()];
        float[] row = new float[EMBEDDING_SIZE];
        for (int i = 0; i < scores.length; i++) {
            vectors.get(row);
            if (uri.startsWith("any:")) {
                int models = Arrays.hashCode(new String[] {madeOf[0], description.version()});
                String[] nudged = uri.split("~", 2);
                Random any = new Random(31L * (31L * nudged[0].hashCode() + Arrays.hashCode(row)) + models);
                scores[i] = any.nextInt(100) / 100f; // differences beyond the tolerance, or none
                scores[i] += nudged.length == 1 ? 0 : Integer.parseInt(nudged[1]) * NUDGE;
                if (!labels.selection().equals(LabelSelection.ALL) && any.nextInt(3) == 0) {
                    scores[i] = ImageScores.NOT_DECODED;
                }
                continue;
            }
            float[] label = row;
            boolean has = words.stream().anyMatch(word -> Arrays.equals(word, label));
            scores[i] = has == own ? 1 : OTHERS_SCORE;
        }
        return scores;
    }

    private static float[] vector(String word) {
        Random random = new Random(word.hashCode());
        float[] vector = new float[EMBEDDING_SIZE];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = random.nextFloat();
        }
        return vector;
    }

    /** A word's vector as label embeddings hold it. */
    public static ByteBuffer vectorBytes(String word) {
        ByteBuffer bytes = ByteBuffer.allocate(EMBEDDING_SIZE * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector(word));
        return bytes;
    }

    /** SHA-256 of a text. */
    public static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
