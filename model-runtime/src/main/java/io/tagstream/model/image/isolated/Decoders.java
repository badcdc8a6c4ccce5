/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.image.DecodeIsolation;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.ImageDecoder;
import io.tagstream.model.image.PixelBudget;

/** Opens the decoder for an isolation. */
public final class Decoders {
    private Decoders() {}

    /**
     * Opens a decoder, which the caller must close.
     *
     * @throws DecoderStartException if a process does not start
     */
    public static Decoder open(DecodeIsolation isolation, DecoderProcesses.Options options) {
        return switch (isolation) {
            case NONE ->
                new ImageDecoder(
                        options.size(),
                        options.resize(),
                        new PixelBudget(options.maxPixels(), options.formats(), options.names()));
            case PROCESS -> new DecoderProcesses(options);
        };
    }
}
