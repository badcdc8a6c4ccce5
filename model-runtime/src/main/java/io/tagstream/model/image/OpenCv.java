/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import org.opencv.core.Core;

/** Loads OpenCV's native library once. */
final class OpenCv {
    static {
        nu.pattern.OpenCV.loadLocally();
        // the decode pool is the parallelism
        Core.setNumThreads(1);
    }

    private OpenCv() {}

    /**
     * Makes sure that the library is loaded.
     *
     * @throws LinkageError if it cannot be
     */
    static void load() {
        // loading this class has done it
    }
}
