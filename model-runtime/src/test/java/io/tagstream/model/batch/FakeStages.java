/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.image.EncodedImage;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.ImageFetcher;
import io.tagstream.model.image.ImageSize;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Stages for images that are numbers: an image's score is its number plus the label set's. Each stage can be held up,
 * fail, or take a random time.
 */
final class FakeStages implements Stages, Device, AutoCloseable {
    /** Labels that are one number. */
    record NumberedLabels(int number) implements LabelVectors {
        @Override
        public int size() {
            return 1;
        }

        @Override
        public FloatBuffer vectors() {
            return FloatBuffer.allocate(1).asReadOnlyBuffer();
        }

        @Override
        public float referenceMean(int label) {
            return 0;
        }

        @Override
        public float referenceDeviation(int label) {
            return 1;
        }
    }

    static final int IMAGES_PER_PART = 4;

    static final String UNREADABLE = "unreadable";
    static final String BREAKS_FETCHING = "breaks fetching";
    static final String BREAKS_DECODING = "breaks decoding";

    /** The failures of an image's attempts, in order, by its content. */
    final Map<String, Queue<ImageException>> failures = new ConcurrentHashMap<>();
    /** Fetches from a source wait for its permits. */
    final Map<String, Semaphore> sourceGates = new ConcurrentHashMap<>();
    /** Contents, in the order in which they were fetched. */
    final ConcurrentLinkedQueue<String> attempts = new ConcurrentLinkedQueue<>();

    final ConcurrentLinkedQueue<Integer> batchSizes = new ConcurrentLinkedQueue<>();
    /** What the model did: {@code encode [1, 2]}, {@code score [1, 2]}. */
    final ConcurrentLinkedQueue<String> turns = new ConcurrentLinkedQueue<>();

    final AtomicInteger decoded = new AtomicInteger();
    final Semaphore fetchGate = new Semaphore(Integer.MAX_VALUE);
    final Semaphore decodeGate = new Semaphore(Integer.MAX_VALUE);
    final Semaphore encodeGate = new Semaphore(Integer.MAX_VALUE);
    final Semaphore scoreGate = new Semaphore(Integer.MAX_VALUE);
    volatile long maxDelayMicros;
    volatile Throwable encodeFailure;
    volatile Exception scoreFailure;
    volatile float scoreToAdd;
    /** These, by default; to be changed before the pipeline starts. */
    List<Device> devices = List.of(this);

    private final ImageFetcher fetcher =
            new ImageFetcher(FetchOptions.builder().maxBytes(1000).build());
    private final List<Integer> loaded = new ArrayList<>();

    /** The features of image {@code number}. */
    static ImageFeatures features(int number) {
        return new ImageFeatures(
                ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
    }

    static ImageRequest image(Object content) {
        return new ImageRequest("data:," + String.valueOf(content).replace(" ", "%20"), Optional.empty());
    }

    /** {@code a/7} is image 7 of source a. */
    @Override
    public String source(ImageRequest request) {
        String content = request.uri().substring("data:,".length());
        return content.contains("/") ? content.substring(0, content.indexOf('/')) : "";
    }

    @Override
    public EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException {
        attempts.add(request.uri().substring("data:,".length()));
        pass(fetchGate);
        if (sourceGates.containsKey(source(request))) {
            pass(sourceGates.get(source(request)));
        }
        EncodedImage image = fetcher.fetch(request);
        Queue<ImageException> toCome = failures.get(content(image));
        if (toCome != null && !toCome.isEmpty()) {
            image.close();
            throw toCome.remove();
        }
        if (content(image).equals(BREAKS_FETCHING)) {
            image.close();
            throw new IllegalStateException("a bug in fetching");
        }
        return image;
    }

    @Override
    public int pixelBytes() {
        return Integer.BYTES;
    }

    @Override
    public ImageSize decode(EncodedImage image, ByteBuffer target) throws ImageException {
        try {
            pass(decodeGate);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        String content = content(image);
        if (content.equals(UNREADABLE)) {
            throw new ImageException(FailureReason.CORRUPT_IMAGE, "unreadable");
        }
        if (content.equals(BREAKS_DECODING)) {
            throw new OutOfMemoryError("of the test");
        }
        int number = Integer.parseInt(content.substring(content.indexOf('/') + 1));
        target.putInt(0, number);
        decoded.incrementAndGet();
        return new ImageSize(number, 1);
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public List<Device> devices() {
        return devices;
    }

    @Override
    public void load(List<ByteBuffer> pixels) {
        loaded.clear();
        pixels.forEach(buffer -> loaded.add(buffer.getInt(0)));
        // shows if anybody still uses the pixels
        pixels.forEach(buffer -> buffer.putInt(0, -1));
    }

    @Override
    public List<ImageFeatures> encode(int images) throws Exception {
        batchSizes.add(images);
        turns.add("encode " + loaded);
        pass(encodeGate);
        if (encodeFailure instanceof Error error) {
            throw error;
        }
        if (encodeFailure instanceof Exception exception) {
            throw exception;
        }
        return loaded.stream().map(FakeStages::features).toList();
    }

    @Override
    public int featureBytes() {
        return Integer.BYTES;
    }

    @Override
    public int imagesPerPart(LabelVectors labels) {
        return IMAGES_PER_PART;
    }

    @Override
    public float[][] score(List<ImageFeatures> images, LabelVectors labels) throws Exception {
        List<Integer> numbers = images.stream()
                .map(features -> ByteBuffer.wrap(features.bytes()).getInt())
                .toList();
        turns.add("score " + numbers);
        pass(scoreGate);
        if (scoreFailure != null) {
            throw scoreFailure;
        }
        float[][] scores = new float[images.size()][1];
        for (int i = 0; i < scores.length; i++) {
            scores[i][0] = numbers.get(i) + ((NumberedLabels) labels).number() + scoreToAdd;
        }
        return scores;
    }

    @Override
    public void close() {
        fetcher.close();
    }

    private void pass(Semaphore gate) throws InterruptedException {
        gate.acquire();
        gate.release();
        if (maxDelayMicros > 0) {
            LockSupport.parkNanos(
                    TimeUnit.MICROSECONDS.toNanos(ThreadLocalRandom.current().nextLong(maxDelayMicros)));
        }
    }

    private static String content(EncodedImage image) {
        return new String(image.bytes(), StandardCharsets.ISO_8859_1);
    }
}
