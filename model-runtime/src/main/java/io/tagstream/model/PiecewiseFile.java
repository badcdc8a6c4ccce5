/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/**
 * Reads files piece by piece. For each read, Java uses a direct buffer as large as the read, and keeps that buffer for
 * the thread. A thread that once read a large image in a single read would hold as much memory again, outside the heap,
 * where no limit on images sees it.
 */
public final class PiecewiseFile {
    private static final int PIECE = 64 * 1024;
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    private PiecewiseFile() {}

    /** Opens a file, which is read in pieces however much is asked for at once. */
    public static InputStream open(Path file, OpenOption... options) throws IOException {
        return new FilterInputStream(Files.newInputStream(file, options)) {
            @Override
            public int read(byte[] target, int from, int length) throws IOException {
                return super.read(target, from, Math.min(length, PIECE));
            }
        };
    }

    /** All the bytes of a file. */
    public static byte[] readAllBytes(Path file) throws IOException {
        long size = Files.size(file);
        if (size > LARGEST_ARRAY) {
            throw new IOException("%s has %d bytes; at most %d can be read".formatted(file, size, LARGEST_ARRAY));
        }
        byte[] bytes = new byte[(int) size];
        try (InputStream in = open(file)) {
            int read = in.readNBytes(bytes, 0, bytes.length);
            if (read < bytes.length) {
                throw new EOFException("%s ended after %d of %d bytes".formatted(file, read, bytes.length));
            }
        }
        return bytes;
    }
}
