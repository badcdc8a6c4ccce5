/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.Scoring;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Map;

/**
 * Scores prepared pixels: image encoder, decoder head, cosine, and the score formula of {@code BUNDLE.md}. Its buffers
 * are allocated once and used for every batch.
 *
 * <p>Write images to {@link #pixels}, then call {@link #score(int, LabelVectors)}; or {@link #encode} once and
 * {@link #score(int, int, LabelVectors)} for parts of the batch.
 *
 * <p><i>Threading notes.</i> One thread at a time. Several scorers may share a runtime's sessions, and then share its
 * inference threads. To be closed before the runtime.
 */
public final class ImageScorer implements AutoCloseable {
    // a decoder's activations take some KB for each image and label: this keeps a run's well under 100 MB
    private static final int PAIRS_PER_RUN = 8192;
    private static final int SMALLEST_CHUNK = 64;
    // a vocabulary changes now and then, and the old one is still in use for a moment
    private static final int LABEL_SETS_KEPT = 2;

    private final Sessions sessions;
    private final OrtEnvironment environment;
    private final Image image;
    private final Scoring scoring;
    private final int maxBatch;
    private final boolean padsBatches;
    private final int labelChunk;
    private final ByteBuffer pixels;
    private final FloatBuffer tokens;
    private final FloatBuffer embeddings;
    private final FloatBuffer logits;
    private final FloatBuffer cosines;
    private final Deque<PreparedLabels> prepared = new ArrayDeque<>();

    ImageScorer(Sessions sessions, int maxBatch) {
        this.sessions = sessions;
        this.environment = sessions.environment();
        this.image = sessions.description().image();
        this.scoring = sessions.description().scoring();
        this.maxBatch = maxBatch;
        // a GPU gains from few known shapes; a CPU would compute the padding in full
        this.padsBatches = sessions.provider() != ExecutionProvider.CPU;
        int capacity = bucketAbove(maxBatch);
        this.labelChunk = Math.max(SMALLEST_CHUNK, PAIRS_PER_RUN / capacity);
        this.pixels = direct(capacity * pixelBytes());
        this.tokens = direct(4 * capacity * tokenFloats()).asFloatBuffer();
        this.embeddings = direct(4 * capacity * image.embeddingSize()).asFloatBuffer();
        this.logits = direct(4 * capacity * labelChunk).asFloatBuffer();
        this.cosines = direct(4 * capacity * labelChunk).asFloatBuffer();
    }

    /** The most images of a batch. */
    public int maxBatch() {
        return maxBatch;
    }

    /** Bytes of one image: size x size x 3. */
    public int pixelBytes() {
        return 3 * image.size() * image.size();
    }

    /** The place of an image of the next batch: a view of {@link #pixelBytes} bytes, [size, size, 3] RGB, direct. */
    public ByteBuffer pixels(int index) {
        return pixels.slice(index * pixelBytes(), pixelBytes());
    }

    /**
     * Encodes and scores the first {@code images} images.
     *
     * @return [images][labels] scores in [0, 1]
     */
    public float[][] score(int images, LabelVectors labels) throws OrtException {
        encode(images);
        return score(0, images, labels);
    }

    /** Runs the image encoder over the first {@code images} images. */
    public void encode(int images) throws OrtException {
        int done = 0;
        while (done < images) {
            int rows = padsBatches ? bucketAbove(images) : bucketBelow(images - done);
            encode(done, rows);
            done += rows;
        }
    }

    /**
     * Scores images {@code from} (inclusive) to {@code to} (exclusive) of the encoded batch.
     *
     * @return [to - from][labels] scores in [0, 1], or NaN where the graphs gave no number
     */
    public float[][] score(int from, int to, LabelVectors labels) throws OrtException {
        PreparedLabels prepared = prepare(labels);
        float[][] scores = new float[to - from][prepared.size()];
        int first = 0;
        for (OnnxTensor chunk : prepared.chunks()) {
            int count = (int) chunk.getInfo().getShape()[0];
            score(from, to, chunk, count, prepared, first, scores);
            first += count;
        }
        return scores;
    }

    @Override
    public void close() {
        prepared.forEach(PreparedLabels::close);
        prepared.clear();
    }

    /** The batch sizes that are run: 1, 2, 4, … up to the one that holds the largest batch. */
    int[] buckets() {
        int count = Integer.numberOfTrailingZeros(bucketAbove(maxBatch)) + 1;
        int[] buckets = new int[count];
        for (int i = 0; i < count; i++) {
            buckets[i] = 1 << i;
        }
        return buckets;
    }

    private void encode(int from, int rows) throws OrtException {
        int size = image.size();
        try (OnnxTensor input = OnnxTensor.createTensor(
                        environment,
                        pixels.slice(from * pixelBytes(), rows * pixelBytes()).order(ByteOrder.nativeOrder()),
                        new long[] {rows, size, size, 3},
                        OnnxJavaType.UINT8);
                OnnxTensor embeddingRows = embeddingRows(from, rows)) {
            if (sessions.decoder().isEmpty()) {
                encode(input, Map.of("embedding", embeddingRows));
                return;
            }
            try (OnnxTensor tokenRows = tokenRows(from, rows)) {
                encode(input, Map.of("tokens", tokenRows, "embedding", embeddingRows));
            }
        }
    }

    private void encode(OnnxTensor input, Map<String, OnnxTensor> outputs) throws OrtException {
        try (OrtSession.Result result = sessions.imageEncoder().run(Map.of("pixels", input), outputs)) {
            checkPinned(result, outputs.size());
        }
    }

    private void score(
            int from, int to, OnnxTensor chunk, int count, PreparedLabels labels, int first, float[][] scores)
            throws OrtException {
        int images = to - from;
        // rows beyond the batch are leftovers that nobody reads
        int rows = padsBatches && from == 0 ? bucketAbove(images) : images;
        boolean decodes = sessions.decoder().isPresent();
        try (OnnxTensor embeddingRows = embeddingRows(from, rows);
                OnnxTensor cosineRows = labelRows(cosines, rows, count);
                OrtSession.Result result = sessions.cosine()
                        .run(Map.of("embedding", embeddingRows, "labels", chunk), Map.of("cosine", cosineRows))) {
            checkPinned(result, 1);
        }
        if (decodes) {
            try (OnnxTensor tokenRows = tokenRows(from, rows);
                    OnnxTensor logitRows = labelRows(logits, rows, count);
                    OrtSession.Result result = sessions.decoder()
                            .get()
                            .run(Map.of("tokens", tokenRows, "labels", chunk), Map.of("logits", logitRows))) {
                checkPinned(result, 1);
            }
        }
        for (int row = 0; row < images; row++) {
            for (int i = 0; i < count; i++) {
                int label = first + i;
                double logit = decodes ? logits.get(row * count + i) : 0;
                double standardised = (cosines.get(row * count + i) - labels.mean(label)) / labels.deviation(label);
                double combined =
                        scoring.decoderWeight() * logit + scoring.cosineWeight() * standardised + scoring.bias();
                scores[row][label] = (float) (1 / (1 + Math.exp(-combined)));
            }
        }
    }

    private PreparedLabels prepare(LabelVectors labels) throws OrtException {
        Iterator<PreparedLabels> known = prepared.iterator();
        while (known.hasNext()) {
            PreparedLabels candidate = known.next();
            if (candidate.isOf(labels)) {
                known.remove();
                prepared.addFirst(candidate);
                return candidate;
            }
        }
        PreparedLabels added = new PreparedLabels(environment, labels, image.embeddingSize(), labelChunk);
        prepared.addFirst(added);
        if (prepared.size() > LABEL_SETS_KEPT) {
            prepared.removeLast().close();
        }
        return added;
    }

    private OnnxTensor tokenRows(int from, int rows) throws OrtException {
        return OnnxTensor.createTensor(
                environment,
                tokens.slice(from * tokenFloats(), rows * tokenFloats()),
                new long[] {rows, image.tokens(), image.tokenWidth()});
    }

    private OnnxTensor embeddingRows(int from, int rows) throws OrtException {
        int size = image.embeddingSize();
        return OnnxTensor.createTensor(
                environment, embeddings.slice(from * size, rows * size), new long[] {rows, size});
    }

    private OnnxTensor labelRows(FloatBuffer buffer, int rows, int count) throws OrtException {
        return OnnxTensor.createTensor(environment, buffer.slice(0, rows * count), new long[] {rows, count});
    }

    private int tokenFloats() {
        return image.tokens() * image.tokenWidth();
    }

    private static void checkPinned(OrtSession.Result result, int outputs) {
        if (result.size() != outputs) {
            throw new IllegalStateException("expected %d outputs, found %d".formatted(outputs, result.size()));
        }
    }

    private static int bucketAbove(int images) {
        return images <= 1 ? 1 : Integer.highestOneBit(images - 1) << 1;
    }

    private static int bucketBelow(int images) {
        return Integer.highestOneBit(images);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
