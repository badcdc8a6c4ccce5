/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.text;

import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.model.LabelTextException.Reason;
import io.tagstream.model.LabelVector;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription.Text;
import io.tagstream.model.text.TextGraph.TextGraphException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Encodes labels as {@code BUNDLE.md}, <i>Label vectors</i>, says: scales each prompt's vector to unit norm, takes the
 * mean and scales it to unit norm, subtracts the centre and scales to unit norm again.
 *
 * <p><i>Threading notes.</i> May be used from any thread. The encoder has its own threads, one for each processor, and
 * distributes a label's prompts among them. Each text is a run of its own on one thread, so that a vector does not
 * depend on what else is encoded at the time. Closing waits for texts in progress.
 */
public final class LabelTextEncoder implements AutoCloseable {
    private static final String NAME = "{}";
    // a label's cosine over real embeddings deviates by a few hundredths; this only keeps the quotient finite
    private static final double SMALLEST_DEVIATION = 1e-6;

    private final Text description;
    private final LabelTokenizer tokenizer;
    private final TextGraph graph;
    private final Optional<float[]> center;
    private final float[][] reference;
    private final ExecutorService prompts;

    /** Makes an encoder that owns its tokenizer and threads but not {@code graph}. */
    public LabelTextEncoder(Bundle bundle, TextGraph graph) {
        this.description = bundle.description().text();
        this.tokenizer = new LabelTokenizer(bundle);
        this.graph = graph;
        this.center = bundle.textCenter();
        this.reference = bundle.referenceEmbeddings();
        this.prompts = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors(), task -> {
            Thread thread = new Thread(task, "tagstream-text");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Encodes a label's text.
     *
     * @throws LabelTextException if the text cannot be encoded as it is
     */
    public LabelVector encode(LabelText text) throws LabelTextException {
        if (LabelText.showsNothing(text.name())) {
            throw new LabelTextException(Reason.EMPTY_NAME, "the label's name is empty; give it one");
        }
        if (text.prompts().size() > LabelText.MOST_PROMPTS) {
            throw new LabelTextException(
                    Reason.TOO_MANY_PROMPTS,
                    "label \"%s\" has %d prompts; at most %d are allowed"
                            .formatted(text.name(), text.prompts().size(), LabelText.MOST_PROMPTS));
        }
        double[] sum = null;
        for (float[] vector : encodePrompts(text)) {
            sum = sum == null ? new double[vector.length] : sum;
            double norm = norm(vector);
            for (int i = 0; i < vector.length; i++) {
                sum[i] += vector[i] / norm;
            }
        }
        scaleToUnitNorm(sum, text.name());
        if (center.isPresent()) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] -= center.get()[i];
            }
            scaleToUnitNorm(sum, text.name());
        }
        return withStatistics(sum);
    }

    @Override
    public void close() {
        prompts.shutdown();
        boolean interrupted = false;
        boolean ended = false;
        while (!ended) {
            try {
                ended = prompts.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                // a text in progress still uses the tokenizer and the graph
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        tokenizer.close();
    }

    /** The prompts' vectors, in the prompts' order. */
    private List<float[]> encodePrompts(LabelText text) throws LabelTextException {
        List<String> texts = text.prompts().isEmpty() ? description.templates() : text.prompts();
        List<CompletableFuture<float[]>> running = texts.stream()
                .map(prompt -> CompletableFuture.supplyAsync(() -> encodeInPool(text.name(), prompt), prompts))
                .toList();
        try {
            return running.stream().map(CompletableFuture::join).toList();
        } catch (CompletionException e) {
            if (e.getCause() instanceof LabelTextException refused) {
                throw refused;
            }
            throw new IllegalStateException("label \"%s\" cannot be encoded".formatted(text.name()), e.getCause());
        }
    }

    private float[] encodeInPool(String name, String prompt) {
        try {
            return encode(name, prompt);
        } catch (LabelTextException e) {
            throw new CompletionException(e);
        }
    }

    private float[] encode(String name, String prompt) throws LabelTextException {
        if (LabelText.showsNothing(prompt)) {
            throw new LabelTextException(
                    Reason.BAD_PROMPT, "label \"%s\" has an empty prompt; remove it or fill it in".formatted(name));
        }
        String text = prompt.replace(NAME, name);
        long[] tokens = tokenizer.tokenize(text);
        if (tokens.length > description.maxTokens()) {
            throw new LabelTextException(
                    Reason.TEXT_TOO_LONG,
                    "label \"%s\": the text \"%s\" has %d tokens, but the model takes at most %d; shorten it"
                            .formatted(name, abbreviate(text), tokens.length, description.maxTokens()));
        }
        try {
            return graph.encode(tokens);
        } catch (TextGraphException e) {
            throw new LabelTextException(
                    Reason.MODEL_ERROR,
                    "label \"%s\": the text encoder failed on \"%s\": %s".formatted(name, text, e.getMessage()),
                    e);
        }
    }

    private static String abbreviate(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "…";
    }

    private static double norm(float[] vector) {
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }

    private static void scaleToUnitNorm(double[] vector, String name) throws LabelTextException {
        double squares = 0;
        for (double value : vector) {
            squares += value * value;
        }
        double norm = Math.sqrt(squares);
        if (!(norm > 0) || !Double.isFinite(norm)) {
            throw new LabelTextException(
                    Reason.MODEL_ERROR,
                    "label \"%s\": its prompts' mean has no direction; reword them".formatted(name));
        }
        for (int i = 0; i < vector.length; i++) {
            vector[i] /= norm;
        }
    }

    private LabelVector withStatistics(double[] unit) {
        float[] vector = new float[unit.length];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) unit[i];
        }
        double[] cosines = new double[reference.length];
        double mean = 0;
        for (int row = 0; row < cosines.length; row++) {
            for (int i = 0; i < vector.length; i++) {
                cosines[row] += (double) reference[row][i] * vector[i];
            }
            mean += cosines[row] / cosines.length;
        }
        double variance = 0;
        for (double cosine : cosines) {
            variance += (cosine - mean) * (cosine - mean) / cosines.length;
        }
        double deviation = Math.max(Math.sqrt(variance), SMALLEST_DEVIATION);
        return new LabelVector(vector, (float) mean, (float) deviation);
    }
}
