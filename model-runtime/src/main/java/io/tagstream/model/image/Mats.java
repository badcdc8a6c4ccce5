/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.util.ArrayList;
import java.util.List;
import org.opencv.core.Mat;

/** Owns the native matrices of one image. */
final class Mats implements AutoCloseable {
    private final List<Mat> owned = new ArrayList<>();

    Mat own(Mat mat) {
        owned.add(mat);
        return mat;
    }

    @Override
    public void close() {
        // the garbage collector would free them far too late, because to it they look small
        owned.forEach(Mat::release);
    }
}
