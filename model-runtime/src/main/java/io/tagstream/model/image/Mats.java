/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

/** Owns the native matrices of one image. */
final class Mats implements AutoCloseable {
    private final List<Mat> owned = new ArrayList<>();

    Mat own(Mat mat) {
        owned.add(mat);
        return mat;
    }

    /** A row of bytes. The parts are buffers on the heap, which are joined. */
    Mat bytes(List<ByteBuffer> parts) {
        Mat bytes = own(new Mat(1, parts.stream().mapToInt(ByteBuffer::limit).sum(), CvType.CV_8UC1));
        int column = 0;
        for (ByteBuffer part : parts) {
            bytes.put(0, column, part.array(), part.arrayOffset(), part.limit());
            column += part.limit();
        }
        return bytes;
    }

    @Override
    public void close() {
        // the garbage collector would free them far too late, because to it they look small
        owned.forEach(Mat::release);
    }
}
