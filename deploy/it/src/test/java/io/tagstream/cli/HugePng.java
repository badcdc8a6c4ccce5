/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

/** Writes valid PNG files that are large in pixels but small in bytes: all black (RFC 2083). */
final class HugePng {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    private HugePng() {}

    /** With one bit per pixel. */
    static void write(Path file, int width, int height) throws IOException {
        Files.write(file, bytes(width, height, 1, 0, 1));
    }

    /** With 48 bits per pixel: red, green and blue. */
    static byte[] inColour(int width, int height) throws IOException {
        return bytes(width, height, 16, 2, 3);
    }

    private static byte[] bytes(int width, int height, int depth, int colourType, int channels) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.write(SIGNATURE);
            chunk(out, "IHDR", header(width, height, depth, colourType));
            chunk(out, "IDAT", pixels((width * depth * channels + 7) / 8, height));
            chunk(out, "IEND", new byte[0]);
        }
        return bytes.toByteArray();
    }

    private static byte[] header(int width, int height, int depth, int colourType) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream header = new DataOutputStream(bytes);
        header.writeInt(width);
        header.writeInt(height);
        header.write(new byte[] {(byte) depth, (byte) colourType, 0, 0, 0}); // deflate, no filter, not interlaced
        return bytes.toByteArray();
    }

    private static byte[] pixels(int rowBytes, int height) throws IOException {
        byte[] row = new byte[1 + rowBytes]; // the filter type precedes the pixels
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(bytes)) {
            for (int y = 0; y < height; y++) {
                deflater.write(row);
            }
        }
        return bytes.toByteArray();
    }

    private static void chunk(DataOutputStream out, String type, byte[] data) throws IOException {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 checksum = new CRC32();
        checksum.update(name);
        checksum.update(data);
        out.writeInt(data.length);
        out.write(name);
        out.write(data);
        out.writeInt((int) checksum.getValue());
    }
}
