/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.opencv.core.Core;
import org.opencv.core.Mat;

/**
 * Decodes a JPEG without its end marker, if the marker is all that is missing. OpenCV does not say whether it lacked
 * data. So the JPEG is decoded twice, with its end marker and with noise before the marker: a decoder that has all
 * pixels reads neither.
 */
final class UnendedJpeg {
    private static final byte[] END = {(byte) 0xFF, (byte) 0xD9};
    private static final int NOISE_BYTES = 4096;
    private static final byte[] NOISE = noise();

    private UnendedJpeg() {}

    /**
     * Decodes a JPEG.
     *
     * @param end where the picture's data ends
     * @throws ImageException if data is missing
     */
    static Mat decode(byte[] jpeg, int end, int flags, OpenCvCall call) throws ImageException {
        ByteBuffer data = ByteBuffer.wrap(jpeg).slice(0, end);
        Mat decoded = call.decode(List.of(data, ByteBuffer.wrap(END)), flags);
        Mat continued = call.decode(List.of(data, ByteBuffer.wrap(NOISE), ByteBuffer.wrap(END)), flags);
        if (Core.norm(decoded, continued, Core.NORM_INF) != 0) {
            throw ImageHeader.truncated(ImageFormat.JPEG, jpeg);
        }
        continued.release();
        return decoded;
    }

    private static byte[] noise() {
        byte[] noise = new byte[NOISE_BYTES];
        new Random(1).nextBytes(noise);
        for (int i = 0; i < noise.length; i++) {
            // no markers
            noise[i] = noise[i] == -1 ? 0 : noise[i];
        }
        return noise;
    }
}
