/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;

/**
 * Turns an encoded image into the model's pixels.
 *
 * <p><i>Threading notes.</i> {@link #decode} may be called from any number of threads, and blocks.
 */
public interface Decoder extends AutoCloseable {
    /** Bytes of a decoded image: size x size x 3. */
    int bytes();

    /**
     * Decodes an image.
     *
     * @param target a direct buffer of {@link #bytes} bytes from position 0, filled with [size, size, 3] RGB
     * @return the image's own size, upright
     * @throws ImageException if the bytes are not an image, are damaged, or hold too large an image
     */
    ImageSize decode(byte[] encoded, ByteBuffer target) throws ImageException, InterruptedException;

    /** What keeps decoders from everything else. */
    default Sandbox sandbox() {
        return Sandbox.none("images are decoded inside this process");
    }

    /** Aborts decoding that is in progress, as far as possible. */
    @Override
    void close();
}
