/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.text;

/** The text encoder. May be used from any thread. */
public interface TextGraph {
    /**
     * Encodes one text.
     *
     * @param tokens the text's token ids, special tokens included
     * @return the pooled vector: D floats, of any norm
     * @throws TextGraphException if inference fails
     */
    float[] encode(long[] tokens);

    /** Inference failed. */
    final class TextGraphException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public TextGraphException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
