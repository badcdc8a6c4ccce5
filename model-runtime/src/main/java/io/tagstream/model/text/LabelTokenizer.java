/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.tagstream.model.bundle.Bundle;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/**
 * A bundle's tokenizer, without the truncation and padding that its file may ask for: a truncated label would be a
 * different label.
 *
 * <p><i>Threading notes.</i> May be used from any thread.
 */
final class LabelTokenizer implements AutoCloseable {
    private static final String OFFLINE = "ai.djl.offline";

    private final HuggingFaceTokenizer tokenizer;

    LabelTokenizer(Bundle bundle) {
        // otherwise the library would look for its native code on the network
        if (System.getProperty(OFFLINE) == null) {
            System.setProperty(OFFLINE, "true");
        }
        Map<String, String> options = Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true");
        try (ByteArrayInputStream json = new ByteArrayInputStream(bundle.tokenizer())) {
            tokenizer = HuggingFaceTokenizer.newInstance(json, options);
        } catch (IOException | RuntimeException e) {
            throw bundle.wrong(
                    bundle.description().text().tokenizer(), "a tokenizer in Hugging Face's JSON format", e.toString());
        }
    }

    /** The text's token ids, special tokens included. */
    long[] tokenize(String text) {
        return tokenizer.encode(text).getIds();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
