/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.ImageException;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.ImageFormat;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

/**
 * Decodes an image of each format, and one with a colour profile: the first images are as fast as later ones, and what
 * Java loads from files is loaded while it still can.
 */
final class WarmUp {
    private static final int ROUNDS = 20;
    private static final int SIDE = 512;
    private static final int GIF_SIDE = 16;
    private static final int[] GIF_BITS = {1, 2, 4};
    /** Of a PNG: the signature and the first chunk. */
    private static final int PNG_START = 33;

    private WarmUp() {}

    static void run(Decoder decoder, ByteBuffer pixels, long maxPixels) throws IOException, InterruptedException {
        int side = (int) Math.min(SIDE, Math.sqrt((double) maxPixels));
        for (ImageFormat format : ImageFormat.values()) {
            byte[] image = encode(format, side);
            switch (format) {
                case JPEG, PNG, WEBP -> decode(decoder, image, pixels, format, ROUNDS);
                case GIF, BMP, TIFF -> decode(decoder, image, pixels, format, 1);
            }
        }
        for (int bits : GIF_BITS) {
            decode(decoder, gif(bits), pixels, ImageFormat.GIF, 1);
        }
        decode(decoder, withProfile(encode(ImageFormat.PNG, 1), ColorSpace.CS_LINEAR_RGB), pixels, ImageFormat.PNG, 1);
        decode(decoder, withProfile(encode(ImageFormat.PNG, 1), ColorSpace.CS_GRAY), pixels, ImageFormat.PNG, 1);
        damage(decoder, encode(ImageFormat.PNG, 1), pixels);
    }

    private static byte[] encode(ImageFormat format, int side) throws IOException {
        if (format == ImageFormat.GIF) {
            return gif(Byte.SIZE);
        }
        Mat picture = new Mat(side, side, CvType.CV_8UC3, new Scalar(0, 128, 255));
        MatOfByte encoded = new MatOfByte();
        Imgcodecs.imencode("." + format.extension(), picture, encoded);
        byte[] image = encoded.toArray();
        encoded.release();
        picture.release();
        return image;
    }

    /** Of {@code bits} a pixel; Java loads other code for each number of them. OpenCV writes no GIF. */
    private static byte[] gif(int bits) throws IOException {
        int colours = 1 << bits;
        byte[] levels = new byte[colours];
        IndexColorModel palette = new IndexColorModel(bits, colours, levels, levels, levels, 0);
        int type = bits == Byte.SIZE ? BufferedImage.TYPE_BYTE_INDEXED : BufferedImage.TYPE_BYTE_BINARY;
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(GIF_SIDE, GIF_SIDE, type, palette), "gif", encoded);
        return encoded.toByteArray();
    }

    private static void decode(Decoder decoder, byte[] image, ByteBuffer pixels, ImageFormat format, int rounds)
            throws IOException, InterruptedException {
        try {
            for (int round = 0; round < rounds; round++) {
                decoder.decode(image, pixels);
            }
        } catch (ImageException e) {
            throw new IOException("the %s that was made to try the decoder does not decode".formatted(format), e);
        }
    }

    private static void damage(Decoder decoder, byte[] image, ByteBuffer pixels)
            throws IOException, InterruptedException {
        try {
            decoder.decode(
                    ByteBuffer.allocate(image.length - 1)
                            .put(image, 0, image.length - 1)
                            .array(),
                    pixels);
            throw new IOException("a truncated PNG decodes");
        } catch (ImageException expected) {
            // failing has been tried, too
        }
    }

    /** The PNG with an ICC profile after its header, as its specification wants. */
    private static byte[] withProfile(byte[] png, int colourSpace) throws IOException {
        ByteArrayOutputStream chunk = new ByteArrayOutputStream();
        chunk.write("iCCPprofile\0\0".getBytes(StandardCharsets.ISO_8859_1));
        try (DeflaterOutputStream deflated = new DeflaterOutputStream(chunk)) {
            deflated.write(ICC_Profile.getInstance(colourSpace).getData());
        }
        CRC32 checksum = new CRC32();
        checksum.update(chunk.toByteArray());
        return ByteBuffer.allocate(png.length + chunk.size() + 2 * Integer.BYTES)
                .put(png, 0, PNG_START)
                .putInt(chunk.size() - Integer.BYTES)
                .put(chunk.toByteArray())
                .putInt((int) checksum.getValue())
                .put(png, PNG_START, png.length - PNG_START)
                .array();
    }
}
