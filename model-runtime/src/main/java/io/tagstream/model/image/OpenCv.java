/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.opencv.core.Core;

/** Loads OpenCV's native library once. */
final class OpenCv {
    static {
        String unpacked = System.getProperty(OpenCvLibrary.UNPACKED);
        if (unpacked == null) {
            loadOwnCopy();
        } else {
            System.load(unpacked);
        }
        // images are decoded in parallel, so one thread for each is enough
        Core.setNumThreads(1);
    }

    private OpenCv() {}

    /**
     * Makes sure that the library is loaded.
     *
     * @throws LinkageError if it cannot be loaded
     */
    static void load() {
        // the static initialiser has loaded it
    }

    private static void loadOwnCopy() {
        try {
            Path directory = Files.createTempDirectory("tagstream-opencv");
            Path library = OpenCvLibrary.unpack(directory);
            try {
                System.load(library.toString());
            } finally {
                delete(library, directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("OpenCV's native library cannot be unpacked into java.io.tmpdir", e);
        }
    }

    /** Deletes at once where an open file can be deleted, so that not even a crash leaves it behind. */
    private static void delete(Path library, Path directory) throws IOException {
        if (System.getProperty("os.name").startsWith("Windows")) {
            directory.toFile().deleteOnExit();
            library.toFile().deleteOnExit();
        } else {
            Files.delete(library);
            Files.delete(directory);
        }
    }
}
