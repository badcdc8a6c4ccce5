/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.util.List;
import org.opencv.core.Mat;
import org.opencv.imgcodecs.Imgcodecs;

/**
 * Calls OpenCV's decoder and checks its answer.
 *
 * @param header what the image says about itself
 * @param mats receives what is decoded
 */
record OpenCvCall(ImageHeader header, Mats mats) {
    /**
     * Decodes what the parts make together.
     *
     * @param parts buffers on the heap
     * @throws ImageException if they do not decode, or to more pixels than the header says
     */
    Mat decode(List<ByteBuffer> parts, int flags) throws ImageException {
        Mat bytes = mats.bytes(parts);
        Mat decoded = mats.own(Imgcodecs.imdecode(bytes, flags));
        bytes.release();
        if (decoded.empty()) {
            throw ImageHeader.corrupt(header.format(), "does not decode: its data is damaged");
        }
        if ((long) decoded.cols() * decoded.rows() > header.pixels()) {
            throw ImageHeader.corrupt(
                    header.format(),
                    "decodes to %d x %d pixels, but its header says %d x %d"
                            .formatted(decoded.cols(), decoded.rows(), header.width(), header.height()));
        }
        return decoded;
    }
}
