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
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelEvidence;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.Scoring;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Scores prepared pixels, with the image encoder, the decoder head, the cosine, and the score formula of
 * {@code BUNDLE.md}. Buffers are allocated once and used for every batch.
 *
 * <p>Write images to {@link #pixels}, then call {@link #score(int, LabelVectors)}. Or {@link #encode} them, and
 * {@link #score(List, LabelVectors)} their features at once or later. Either way, scores are computed from features
 * rounded to half precision.
 *
 * <p><i>Threading notes.</i> One thread at a time. Several scorers may share a runtime's sessions, and then they share
 * its inference threads. Close a scorer before its runtime.
 */
public final class ImageScorer implements AutoCloseable {
    // a decoder's activations take a few KB for each image and label: this keeps a run well under 100 MB
    private static final int PAIRS_PER_RUN = 8192;
    private static final int SMALLEST_CHUNK = 64;
    /** How many images share a run with few labels, to spread the cost of a run. */
    private static final int MOST_ROWS = 64;
    // when a vocabulary changes, the old one stays in use for a moment, and parts of both are scored again
    private static final int LABEL_SETS_KEPT = 4;

    private final Sessions sessions;
    private final Sessions.OnDevice device;
    private final OrtEnvironment environment;
    private final Image image;
    private final Scoring scoring;
    private final FeatureRows features;
    private final DecoderCost cost;
    private final int maxBatch;
    private final int rows;
    private final boolean padsBatches;
    private final int labelChunk;
    private final ByteBuffer pixels;
    private final FloatBuffer logits;
    private final FloatBuffer cosines;
    private final FloatBuffer candidates;

    private final Deque<PreparedLabels> prepared = new ArrayDeque<>();

    /** A scorer for batches of images, and for features of as many images as pays off. */
    static ImageScorer ofBatches(Sessions sessions, Sessions.OnDevice device, int maxBatch) {
        return new ImageScorer(sessions, device, maxBatch, MOST_ROWS);
    }

    /** A scorer for one image's features at a time. */
    static ImageScorer ofSingleImages(Sessions sessions, Sessions.OnDevice device) {
        return new ImageScorer(sessions, device, 1, 1);
    }

    private ImageScorer(Sessions sessions, Sessions.OnDevice device, int maxBatch, int mostRows) {
        this.sessions = sessions;
        this.device = device;
        this.environment = sessions.environment();
        this.image = sessions.description().image();
        this.scoring = sessions.description().scoring();
        this.cost = new DecoderCost(image, sessions.description().decoder());
        this.maxBatch = maxBatch;
        // a GPU gains from few known shapes; a CPU would compute the padding in full
        this.padsBatches = sessions.provider() != ExecutionProvider.CPU;
        int capacity = bucketAbove(maxBatch);
        this.rows = Math.max(capacity, mostRows);
        this.labelChunk = Math.max(SMALLEST_CHUNK, PAIRS_PER_RUN / capacity);
        this.pixels = direct(capacity * pixelBytes());
        this.features = new FeatureRows(sessions, rows);
        this.logits = direct(4 * capacity * labelChunk).asFloatBuffer();
        this.cosines = direct(4 * capacity * labelChunk).asFloatBuffer();
        this.candidates = direct(4 * labelChunk * image.embeddingSize()).asFloatBuffer();
    }

    /** The most images of a batch. */
    public int maxBatch() {
        return maxBatch;
    }

    /** Bytes of one image: size x size x 3. */
    public int pixelBytes() {
        return 3 * image.size() * image.size();
    }

    /** Where to write an image of the next batch: a direct view of {@link #pixelBytes} bytes, [size, size, 3] RGB. */
    public ByteBuffer pixels(int index) {
        return pixels.slice(index * pixelBytes(), pixelBytes());
    }

    /**
     * Encodes and scores the first {@code images} images.
     *
     * @return [images][labels] scores in [0, 1] or {@link ImageScores#NOT_DECODED}
     */
    public float[][] score(int images, LabelVectors labels) throws OrtException {
        return score(encode(images), labels);
    }

    /**
     * Runs the image encoder over the first {@code images} images.
     *
     * @return their features, rounded to half precision
     */
    public List<ImageFeatures> encode(int images) throws OrtException {
        features.toBeWritten();
        int done = 0;
        while (done < images) {
            int batch = padsBatches ? bucketAbove(images) : bucketBelow(images - done);
            encode(done, batch);
            done += batch;
        }
        return features.take(images);
    }

    /**
     * Scores any number of images' features.
     *
     * @return [images][labels] scores in [0, 1], {@link ImageScores#NOT_DECODED}, or NaN if the graphs gave no number
     * @throws IllegalArgumentException if features or labels are not this model's
     */
    public float[][] score(List<ImageFeatures> images, LabelVectors labels) throws OrtException {
        PreparedLabels prepared = prepare(labels);
        LabelSelection selection = labels.selection();
        float[][] scores = new float[images.size()][prepared.size()];
        int atOnce = atOnce(prepared.size());
        for (int from = 0; from < images.size(); from += atOnce) {
            int count = Math.min(atOnce, images.size() - from);
            features.load(images.subList(from, from + count));
            float[][] standardised = standardisedCosines(count, prepared);
            float[][] results = Arrays.copyOfRange(scores, from, from + count);
            if (selection.kind() == LabelSelection.Kind.ALL) {
                scoreAll(prepared, standardised, results);
            } else {
                scoreSelected(prepared, standardised, selection, results);
            }
        }
        return scores;
    }

    /** How many images to score at a time while others wait; see {@link DecoderCost#imagesPerPart}. */
    int imagesPerPart(LabelVectors labels) {
        return cost.imagesPerPart(labels.size(), rows);
    }

    /**
     * The evidence for each label, whatever the labels' selection.
     *
     * @throws IllegalArgumentException if features or labels are not this model's
     */
    List<LabelEvidence> explain(ImageFeatures explained, LabelVectors labels) throws OrtException {
        PreparedLabels prepared = prepare(labels);
        features.load(List.of(explained));
        float[] standardised = standardisedCosines(1, prepared)[0];
        float[] scores = new float[prepared.size()];
        scoreAll(prepared, new float[][] {standardised}, new float[][] {scores});
        float[] promises = promises(prepared, standardised);
        List<LabelEvidence> evidence = new ArrayList<>(scores.length);
        for (int label = 0; label < scores.length; label++) {
            evidence.add(new LabelEvidence(
                    scores[label], standardised[label], promises[label], isCandidate(promises[label])));
        }
        return evidence;
    }

    @Override
    public void close() {
        prepared.forEach(PreparedLabels::close);
        prepared.clear();
    }

    /** The batch sizes that are encoded: 1, 2, 4, … up to the first that holds the largest batch. */
    int[] buckets() {
        return bucketsUpTo(bucketAbove(maxBatch));
    }

    /** The numbers of images that are scored at a time with few labels: 1, 2, 4, … */
    int[] rowBuckets() {
        return bucketsUpTo(rows);
    }

    private static int[] bucketsUpTo(int largest) {
        int[] buckets = new int[Integer.numberOfTrailingZeros(largest) + 1];
        for (int i = 0; i < buckets.length; i++) {
            buckets[i] = 1 << i;
        }
        return buckets;
    }

    private void encode(int from, int batch) throws OrtException {
        int size = image.size();
        try (OnnxTensor input = OnnxTensor.createTensor(
                        environment,
                        pixels.slice(from * pixelBytes(), batch * pixelBytes()).order(ByteOrder.nativeOrder()),
                        new long[] {batch, size, size, 3},
                        OnnxJavaType.UINT8);
                OnnxTensor embeddingRows = embeddingRows(from, batch)) {
            if (features.tokens().isEmpty()) {
                encode(input, Map.of("embedding", embeddingRows));
                return;
            }
            try (OnnxTensor tokenRows = features.tokens().get().tensor(from, batch)) {
                encode(input, Map.of("tokens", tokenRows, "embedding", embeddingRows));
            }
        }
    }

    private void encode(OnnxTensor input, Map<String, OnnxTensor> outputs) throws OrtException {
        try (OrtSession.Result result = device.imageEncoder().run(Map.of("pixels", input), outputs)) {
            checkPinned(result, outputs.size());
        }
    }

    /** How many images share a run: more if there are few labels. */
    private int atOnce(int labels) {
        int most = PAIRS_PER_RUN / Math.max(1, Math.min(labels, labelChunk));
        return Math.max(bucketAbove(maxBatch), Math.min(rows, bucketBelow(Math.max(1, most))));
    }

    /** The loaded images' standardised cosines: [images][labels]. */
    private float[][] standardisedCosines(int images, PreparedLabels labels) throws OrtException {
        float[][] standardised = new float[images][labels.size()];
        int batch = padded(images);
        int first = 0;
        for (OnnxTensor chunk : labels.chunks()) {
            int count = rowsOf(chunk);
            try (OnnxTensor embeddingRows = embeddingRows(0, batch);
                    OnnxTensor cosineRows = labelRows(cosines, batch, count);
                    OrtSession.Result result = sessions.cosine()
                            .run(Map.of("embedding", embeddingRows, "labels", chunk), Map.of("cosine", cosineRows))) {
                checkPinned(result, 1);
            }
            for (int row = 0; row < images; row++) {
                cosines.get(row * count, standardised[row], first, count);
                for (int label = first; label < first + count; label++) {
                    standardised[row][label] =
                            (standardised[row][label] - labels.mean(label)) / labels.deviation(label);
                }
            }
            first += count;
        }
        return standardised;
    }

    /** Scores the loaded images against every label. */
    private void scoreAll(PreparedLabels labels, float[][] standardised, float[][] scores) throws OrtException {
        int images = standardised.length;
        int first = 0;
        for (OnnxTensor chunk : labels.chunks()) {
            int count = rowsOf(chunk);
            decode(0, padded(images), chunk, count);
            for (int row = 0; row < images; row++) {
                for (int i = 0; i < count; i++) {
                    scores[row][first + i] = score(row * count + i, standardised[row][first + i]);
                }
            }
            first += count;
        }
    }

    /**
     * Scores each loaded image against its own labels. It decodes them one by one (the candidate form of
     * {@code BUNDLE.md}), or all of them against every label that any of them has if that is less work, as with few
     * labels.
     */
    private void scoreSelected(
            PreparedLabels labels, float[][] standardised, LabelSelection selection, float[][] scores)
            throws OrtException {
        int images = standardised.length;
        List<BitSet> selected = new ArrayList<>(images);
        BitSet any = new BitSet();
        long oneByOne = 0;
        for (int row = 0; row < images; row++) {
            Arrays.fill(scores[row], ImageScores.NOT_DECODED);
            selected.add(selected(promises(labels, standardised[row]), selection));
            any.or(selected.get(row));
            oneByOne += cost.ofRun(1, selected.get(row).cardinality());
        }
        if (cost.ofRun(images, any.cardinality()) <= oneByOne) {
            scoreSelected(0, any, selected, labels, standardised, scores);
            return;
        }
        for (int row = 0; row < images; row++) {
            scoreSelected(row, selected.get(row), selected.subList(row, row + 1), labels, standardised, scores);
        }
    }

    /** Scores {@code selected.size()} loaded images, from {@code from} on, against the {@code decoded} labels. */
    private void scoreSelected(
            int from,
            BitSet decoded,
            List<BitSet> selected,
            PreparedLabels labels,
            float[][] standardised,
            float[][] scores)
            throws OrtException {
        int[] places = decoded.stream().toArray();
        int size = image.embeddingSize();
        int images = selected.size();
        for (int first = 0; first < places.length; first += labelChunk) {
            int count = Math.min(labelChunk, places.length - first);
            int padded = Math.min(labelChunk, padded(count));
            if (device.decoder().isPresent()) {
                for (int i = 0; i < count; i++) {
                    labels.copy(places[first + i], candidates, i);
                }
                try (OnnxTensor chunk = OnnxTensor.createTensor(
                        environment, candidates.slice(0, padded * size), new long[] {padded, size})) {
                    decode(from, padded(images), chunk, padded);
                }
            }
            for (int row = 0; row < images; row++) {
                for (int i = 0; i < count; i++) {
                    int label = places[first + i];
                    if (selected.get(row).get(label)) {
                        scores[from + row][label] = score(row * padded + i, standardised[from + row][label]);
                    }
                }
            }
        }
    }

    /** The labels to decode for an image. */
    private BitSet selected(float[] promises, LabelSelection selection) {
        BitSet selected = new BitSet();
        switch (selection.kind()) {
            case ALL -> selected.set(0, promises.length);
            case CANDIDATES ->
                IntStream.range(0, promises.length)
                        .filter(label -> isCandidate(promises[label]))
                        .forEach(selected::set);
            case TOP -> Arrays.stream(top(promises, selection.count())).forEach(selected::set);
        }
        return selected;
    }

    /**
     * How promising each label is for an image: the value that {@code BUNDLE.md} compares with the candidate cutoff.
     */
    private float[] promises(PreparedLabels labels, float[] standardised) throws OrtException {
        double weight = scoring.candidatePriorWeight();
        if (weight == 0) {
            return standardised;
        }
        float[] priors = priors(labels);
        float[] promises = new float[standardised.length];
        for (int label = 0; label < promises.length; label++) {
            promises[label] = (float) (standardised[label] + weight * priors[label]);
        }
        return promises;
    }

    /** The labels' logits for an image without content. */
    private float[] priors(PreparedLabels labels) throws OrtException {
        if (labels.priors().isEmpty()) {
            float[] priors = new float[labels.size()];
            int first = 0;
            for (OnnxTensor chunk : labels.chunks()) {
                int count = rowsOf(chunk);
                if (device.decoder().isPresent()) {
                    try (OnnxTensor empty = features.tokens().orElseThrow().empty()) {
                        decode(empty, 1, chunk, count);
                    }
                    logits.get(0, priors, first, count);
                }
                first += count;
            }
            labels.keepPriors(priors);
        }
        return labels.priors().orElseThrow();
    }

    /** True also if the graphs gave no number, so that the score shows it. */
    private boolean isCandidate(float promise) {
        return !(promise < scoring.candidateCutoff());
    }

    private static int[] top(float[] promises, int count) {
        long[] keys = new long[promises.length];
        for (int label = 0; label < keys.length; label++) {
            int bits = Float.floatToIntBits(promises[label]);
            // makes integers that sort like the floats: below zero, the bits grow as the float falls
            int ordered = bits ^ (bits >> 31 & Integer.MAX_VALUE);
            keys[label] = (long) ~ordered << Integer.SIZE | label;
        }
        Arrays.sort(keys);
        return Arrays.stream(keys).limit(count).mapToInt(key -> (int) key).toArray();
    }

    /** Writes [batch, count] logits of the loaded images from {@code from} on. */
    private void decode(int from, int batch, OnnxTensor labels, int count) throws OrtException {
        if (features.tokens().isEmpty()) {
            return;
        }
        try (OnnxTensor tokenRows = features.tokens().get().tensor(from, batch)) {
            decode(tokenRows, batch, labels, count);
        }
    }

    /** Writes [batch, count] logits. */
    private void decode(OnnxTensor tokenRows, int batch, OnnxTensor labels, int count) throws OrtException {
        try (OnnxTensor logitRows = labelRows(logits, batch, count);
                OrtSession.Result result = device.decoder()
                        .orElseThrow()
                        .run(Map.of("tokens", tokenRows, "labels", labels), Map.of("logits", logitRows))) {
            checkPinned(result, 1);
        }
    }

    private float score(int place, double standardised) {
        double logit = device.decoder().isPresent() ? logits.get(place) : 0;
        double combined = scoring.decoderWeight() * logit + scoring.cosineWeight() * standardised + scoring.bias();
        return (float) (1 / (1 + Math.exp(-combined)));
    }

    /**
     * How many rows to run for so many images or candidates. The rows beyond them hold leftovers, and their results are
     * not read.
     */
    private int padded(int count) {
        return padsBatches ? bucketAbove(count) : count;
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

    private OnnxTensor embeddingRows(int from, int count) throws OrtException {
        int size = image.embeddingSize();
        return OnnxTensor.createTensor(
                environment, features.embeddings().slice(from * size, count * size), new long[] {count, size});
    }

    private OnnxTensor labelRows(FloatBuffer buffer, int images, int count) throws OrtException {
        return OnnxTensor.createTensor(environment, buffer.slice(0, images * count), new long[] {images, count});
    }

    private static int rowsOf(OnnxTensor chunk) {
        return (int) chunk.getInfo().getShape()[0];
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
