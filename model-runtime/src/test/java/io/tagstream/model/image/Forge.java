/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Makes image files that no proper program writes. */
public final class Forge {
    private static final int PNG_HEADER_END = 33;
    private static final short TIFF_KIND = 254;
    /** A tag that nobody misses. */
    private static final short TIFF_UNIT_OF_RESOLUTION = 296;

    private Forge() {}

    /** Joins bytes: arrays, or text as Latin-1. */
    public static byte[] join(Object... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object part : parts) {
            out.writeBytes(
                    part instanceof byte[] bytes ? bytes : part.toString().getBytes(StandardCharsets.ISO_8859_1));
        }
        return out.toByteArray();
    }

    /** A copy with numbers changed. */
    static byte[] patched(byte[] bytes, ByteOrder order, Consumer<ByteBuffer> change) {
        byte[] copy = bytes.clone();
        change.accept(ByteBuffer.wrap(copy).order(order));
        return copy;
    }

    static byte[] deflated(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(out, new Deflater(9))) {
            deflater.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    // EXIF

    static byte[] exif(int orientation) {
        return join("MM\0*\0\0\0\u0008\0\u0001\u0001\u0012\0\u0003", int32(1), int16(orientation), new byte[6]);
    }

    // PNG

    public static byte[] pngChunk(String type, byte[] data) {
        byte[] typed = join(type, data);
        CRC32 checksum = new CRC32();
        checksum.update(typed);
        return join(int32(data.length), typed, int32((int) checksum.getValue()));
    }

    /** The PNG with chunks inserted after its header. */
    public static byte[] pngWith(byte[] png, byte[]... chunks) {
        return join(Arrays.copyOf(png, PNG_HEADER_END), join((Object[]) chunks), tail(png, PNG_HEADER_END));
    }

    /** The PNG with another size in its header, and the right checksum. */
    static byte[] pngSaying(byte[] png, int width, int height) {
        byte[] header = Arrays.copyOfRange(png, 16, 29);
        ByteBuffer.wrap(header).putInt(width).putInt(height);
        return join(Arrays.copyOf(png, 8), pngChunk("IHDR", header), tail(png, PNG_HEADER_END));
    }

    /** A black PNG with one bit a pixel: a megapixel takes less than 200 bytes. */
    static byte[] blackPng(int width, int height) {
        byte[] header = join(int32(width), int32(height), new byte[] {1, 0, 0, 0, 0});
        return join(
                new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'},
                pngChunk("IHDR", header),
                pngChunk("IDAT", deflated(new byte[height * (1 + (width + 7) / 8)])),
                pngChunk("IEND", new byte[0]));
    }

    // JPEG

    static byte[] jpegSegment(int marker, byte[] data) {
        return join(new byte[] {(byte) 0xFF, (byte) marker}, int16(data.length + 2), data);
    }

    /** The JPEG with segments inserted after its first marker. */
    static byte[] jpegWith(byte[] jpeg, byte[]... segments) {
        return join(Arrays.copyOf(jpeg, 2), join((Object[]) segments), tail(jpeg, 2));
    }

    /** Where the last segment with a marker begins. */
    static int jpegSegmentAt(byte[] jpeg, int marker) {
        for (int at = jpeg.length - 2; at > 0; at--) {
            if ((jpeg[at] & 0xFF) == 0xFF && (jpeg[at + 1] & 0xFF) == marker) {
                return at;
            }
        }
        throw new IllegalArgumentException("no marker %02x".formatted(marker));
    }

    /** The JPEG with another size in its frame header. */
    static byte[] jpegSaying(byte[] jpeg, int width, int height) {
        return jpegSaying(jpeg, 0xC0, width, height);
    }

    /** The same for a JPEG with another marker of its frame, such as 0xC2 if it is progressive. */
    static byte[] jpegSaying(byte[] jpeg, int marker, int width, int height) {
        int frame = jpegSegmentAt(jpeg, marker);
        return patched(
                jpeg,
                ByteOrder.BIG_ENDIAN,
                buffer -> buffer.putShort(frame + 5, (short) height).putShort(frame + 7, (short) width));
    }

    /** The JPEG with {@code times} more copies of its last scan. */
    static byte[] jpegRepeatingItsLastScan(byte[] jpeg, int times) {
        int scan = jpegSegmentAt(jpeg, 0xDA);
        byte[] last = Arrays.copyOfRange(jpeg, scan, jpeg.length - 2);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(jpeg, 0, jpeg.length - 2);
        for (int i = 0; i < times; i++) {
            out.writeBytes(last);
        }
        out.write(0xFF);
        out.write(0xD9);
        return out.toByteArray();
    }

    // GIF

    /** A GIF with one frame that has no pixels, only the end code. */
    static byte[] gif(int screenWidth, int screenHeight, int left, int top, int width, int height) {
        return join(
                "GIF89a",
                little16(screenWidth),
                little16(screenHeight),
                new byte[] {(byte) 0x80, 0, 0, 0, 0, 0, -1, -1, -1},
                gifFrame(left, top, width, height),
                ";");
    }

    static byte[] gifFrame(int left, int top, int width, int height) {
        // least code size 2; clear code 4 and end code 5 in 3 bits each
        return join(
                ",", little16(left), little16(top), little16(width), little16(height), new byte[] {0, 2, 1, 0x2C, 0});
    }

    /** A black GIF with all its pixels. */
    public static byte[] blackGif(int width, int height) {
        IndexColorModel colours = new IndexColorModel(1, 2, new byte[] {0, -1}, new byte[] {0, -1}, new byte[] {0, -1});
        return Quarters.encode(new BufferedImage(width, height, BufferedImage.TYPE_BYTE_BINARY, colours), "gif");
    }

    // WebP

    static byte[] webp(byte[]... chunks) {
        byte[] body = join("WEBP", join((Object[]) chunks));
        return join("RIFF", little32(body.length), body);
    }

    static byte[] webpChunk(String type, byte[] data) {
        return join(type, little32(data.length), data, data.length % 2 == 0 ? "" : "\0");
    }

    /** A canvas. */
    static byte[] webpCanvas(int flags, int width, int height) {
        byte[] data = ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(flags)
                .putInt(width - 1)
                .array();
        data[7] = (byte) (height - 1);
        data[8] = (byte) ((height - 1) >> 8);
        data[9] = (byte) ((height - 1) >> 16);
        return webpChunk("VP8X", Arrays.copyOf(data, 10));
    }

    /** A frame of an animation. */
    static byte[] webpFrame(int left, int top, int width, int height, byte[] picture) {
        return webpChunk(
                "ANMF",
                join(
                        little24(left / 2),
                        little24(top / 2),
                        little24(width - 1),
                        little24(height - 1),
                        new byte[4],
                        picture));
    }

    // TIFF

    static byte[] tiff(String compression, List<BufferedImage> pages) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("tiff").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            writer.setOutput(stream);
            ImageWriteParam parameters = writer.getDefaultWriteParam();
            parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            parameters.setCompressionType(compression);
            writer.prepareWriteSequence(null);
            for (BufferedImage page : pages) {
                writer.writeToSequence(new IIOImage(page, null, null), parameters);
            }
            writer.endWriteSequence();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    /** The TIFF with another value for a tag in its first directory. */
    static byte[] tiffSaying(byte[] tiff, int tag, int value) {
        ByteOrder order = tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        return patched(tiff, order, buffer -> {
            int directory = buffer.getInt(4);
            for (int i = 0; i < buffer.getShort(directory); i++) {
                int entry = directory + 2 + 12 * i;
                if ((buffer.getShort(entry) & 0xFFFF) == tag) {
                    buffer.putShort(entry + 2, (short) 4).putInt(entry + 4, 1).putInt(entry + 8, value);
                }
            }
        });
    }

    /** The TIFF whose first directory names itself as the next one. */
    static byte[] tiffWithoutAnEnd(byte[] tiff) {
        ByteOrder order = tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        return patched(tiff, order, buffer -> {
            int directory = buffer.getInt(4);
            buffer.putInt(directory + 2 + 12 * buffer.getShort(directory), directory);
        });
    }

    /** The TIFF whose first page is of a kind: 1 for a thumbnail, 4 for a mask. */
    static byte[] tiffOfKind(byte[] tiff, int kind) {
        ByteOrder order = tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        byte[] copy = patched(tiff, order, buffer -> {
            int directory = buffer.getInt(4);
            for (int i = 0; i < buffer.getShort(directory); i++) {
                int entry = directory + 2 + 12 * i;
                if (buffer.getShort(entry) == TIFF_UNIT_OF_RESOLUTION) {
                    buffer.putShort(entry, TIFF_KIND);
                }
            }
        });
        return tiffSaying(copy, TIFF_KIND, kind);
    }

    // BMP

    /** A BMP of 64 x 64 pixels with four bytes each: four quarters. */
    static byte[] bmp32(List<Color> quarters) {
        ByteBuffer rows = ByteBuffer.allocate(4 * 64 * 64).order(ByteOrder.LITTLE_ENDIAN);
        for (int y = 63; y >= 0; y--) {
            for (int x = 0; x < 64; x++) {
                rows.putInt(quarters.get(y / 32 * 2 + x / 32).getRGB());
            }
        }
        return patched(bmp(64, 64, 0, rows.array()), ByteOrder.LITTLE_ENDIAN, head -> head.putShort(28, (short) 32));
    }

    /** Headers of a BMP (BITMAPINFOHEADER) with 24 bits a pixel, or 8 if compressed, and what follows them. */
    static byte[] bmp(int width, int height, int compression, byte[] rest) {
        ByteBuffer head = ByteBuffer.allocate(54).order(ByteOrder.LITTLE_ENDIAN);
        head.put(join("BM")).putInt(54 + rest.length).putInt(0).putInt(54);
        head.putInt(40).putInt(width).putInt(height).putShort((short) 1);
        head.putShort((short) (compression == 0 ? 24 : 8)).putInt(compression);
        return join(head.array(), rest);
    }

    // numbers

    static byte[] int32(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    static byte[] int16(int value) {
        return ByteBuffer.allocate(2).putShort((short) value).array();
    }

    static byte[] little32(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    static byte[] little24(int value) {
        return Arrays.copyOf(little32(value), 3);
    }

    static byte[] little16(int value) {
        return ByteBuffer.allocate(2)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) value)
                .array();
    }

    static byte[] tail(byte[] bytes, int from) {
        return Arrays.copyOfRange(bytes, from, bytes.length);
    }
}
