/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static io.tagstream.model.image.Forge.join;
import static io.tagstream.model.image.HostileCase.decoded;
import static io.tagstream.model.image.HostileCase.ofBytes;
import static io.tagstream.model.image.HostileCase.refused;

import io.tagstream.model.FailureReason;
import io.tagstream.model.image.HostileCase.Expected;
import io.tagstream.model.image.HostileCase.Group;
import java.awt.image.BufferedImage;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

/** Things that are not images, and images that are too large or not what they claim. */
public final class HostileImages {
    private static final byte[] PNG = Quarters.png(40, 30);
    private static final byte[] JPEG = Quarters.jpeg(40, 30);
    private static final byte[] PROGRESSIVE = Quarters.resource("progressive.jpg");
    private static final byte[] WEBP = Quarters.resource("turned.webp");
    /** Its chunk VP8L, with 64 x 64 pixels, which follows the canvas. */
    private static final byte[] WEBP_PICTURE = Arrays.copyOfRange(WEBP, 30, 84);

    private static final BufferedImage PAGE = Quarters.picture(40, 30, BufferedImage.TYPE_INT_RGB);
    private static final byte[] TIFF = Forge.tiff("LZW", List.of(PAGE));
    private static final Expected GOOD = decoded(40, 30);
    private static final Expected CORRUPT = refused(FailureReason.CORRUPT_IMAGE);
    private static final Expected TOO_MANY =
            refused(FailureReason.TOO_MANY_PIXELS, "more than the 20000000 allowed", "raise maxPixels");
    private static final Expected UNKNOWN = refused(FailureReason.UNSUPPORTED_FORMAT);

    private HostileImages() {}

    static Stream<HostileCase> cases() {
        return Stream.of(types(), bombs(), lies(), animations(), metadata()).flatMap(cases -> cases);
    }

    /** The files of all cases, and plain images of every format: a corpus for fuzzing. */
    public static Stream<byte[]> files() {
        Stream<byte[]> plain = Stream.of(
                PNG,
                JPEG,
                PROGRESSIVE,
                WEBP,
                TIFF,
                Forge.webp(WEBP_PICTURE),
                Forge.tiff("Deflate", List.of(PAGE)),
                Forge.tiff("PackBits", List.of(PAGE)),
                Forge.tiff("JPEG", List.of(PAGE)),
                Quarters.resource("cmyk.jpg"),
                Quarters.encode(PAGE, "gif"),
                Quarters.encode(PAGE, "bmp"));
        return Stream.concat(plain, cases().map(HostileCase::bytes).flatMap(Optional::stream));
    }

    private static Stream<HostileCase> types() {
        byte[] html = join("<!DOCTYPE html><html><script>alert(1)</script></html>");
        Group types = Group.TYPES;
        return Stream.of(
                said("an image, said to be HTML", PNG, "text/html", GOOD),
                said("an image, said to be an executable", JPEG, "application/x-msdownload", GOOD),
                said("a PNG, said to be a JPEG", PNG, "image/jpeg", GOOD),
                said("a type that is no type", PNG, ";;;/\u0001", GOOD),
                said(
                        "HTML, said to be an image",
                        html,
                        "image/png",
                        refused(FailureReason.UNSUPPORTED_FORMAT, "an HTML page")),
                ofBytes(
                        types,
                        "SVG with a script",
                        join("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
                        refused(FailureReason.UNSUPPORTED_FORMAT, "an SVG drawing")),
                ofBytes(
                        types,
                        "XML with an entity of a file",
                        join(
                                "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><svg>&b;</svg>"),
                        UNKNOWN),
                ofBytes(types, "PDF", join("%PDF-1.7\n"), UNKNOWN),
                ofBytes(types, "PostScript", join("%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n"), UNKNOWN),
                ofBytes(types, "ZIP", join("PK\u0003\u0004"), UNKNOWN),
                ofBytes(types, "a program for Linux", join("\u007fELF\u0002\u0001\u0001"), UNKNOWN),
                ofBytes(types, "a program for Windows", join("MZ\u0090\0"), UNKNOWN),
                ofBytes(types, "a class of Java", join("\u00ca\u00fe\u00ba\u00be\0\0\0="), UNKNOWN),
                ofBytes(types, "objects of Java", join("\u00ac\u00ed\0\u0005sr"), UNKNOWN),
                ofBytes(
                        types,
                        "ImageMagick's language",
                        join("push graphic-context\nfill 'url(https://127.0.0.1/)'"),
                        UNKNOWN),
                // formats that OpenCV would read, but that are not supported
                ofBytes(types, "OpenEXR", join("v/1\u0001\u0002\0\0\0"), UNKNOWN),
                ofBytes(types, "Radiance", join("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\0\0\0\0"), UNKNOWN),
                ofBytes(types, "portable pixmap", join("P6 1 1 255\n\0\0\0"), UNKNOWN),
                ofBytes(
                        types,
                        "portable arbitrary map",
                        join("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n\0"),
                        UNKNOWN),
                ofBytes(types, "portable float map", join("PF\n1 1\n-1.0\n\0\0\0\0"), UNKNOWN),
                ofBytes(types, "Sun raster", join("Y\u00a6j\u0095", new byte[28]), UNKNOWN),
                ofBytes(types, "JPEG 2000", join("\0\0\0\u000cjP  \r\n\u0087\n"), UNKNOWN),
                ofBytes(types, "JPEG XL", join("\u00ff\n"), UNKNOWN),
                ofBytes(types, "AVIF", join("\0\0\0\u001cftypavif"), UNKNOWN),
                ofBytes(types, "HEIC", join("\0\0\0\u001cftypheic"), UNKNOWN),
                ofBytes(types, "BigTIFF", join("II+\0\u0008\0\0\0"), UNKNOWN),
                ofBytes(types, "an icon", join("\0\0\u0001\0\u0001\0"), UNKNOWN),
                ofBytes(types, "sound in a RIFF", join("RIFF$\0\0\0WAVEfmt "), UNKNOWN),
                // two things at once
                ofBytes(types, "a JPEG that is a ZIP too", join(JPEG, "PK\u0003\u0004", new byte[500]), GOOD),
                ofBytes(
                        types,
                        "a JPEG with HTML in a comment",
                        Forge.jpegWith(JPEG, Forge.jpegSegment(0xFE, join("<script>alert(1)</script>"))),
                        GOOD),
                ofBytes(types, "a GIF that is a script too", join("GIF89a=1;alert(1);/*", new byte[30], "*/"), CORRUPT),
                ofBytes(types, "a BMP that is a word", join("BMW 320d, low mileage"), UNKNOWN),
                ofBytes(types, "a signature and no more", Arrays.copyOf(PNG, 8), CORRUPT),
                ofBytes(types, "zeros", new byte[1000], UNKNOWN));
    }

    private static HostileCase said(String name, byte[] bytes, String contentType, Expected expected) {
        return new HostileCase(Group.TYPES, name, server -> server.serve(bytes, contentType), expected);
    }

    private static Stream<HostileCase> bombs() {
        Group bombs = Group.BOMBS;
        byte[] zeros = Forge.deflated(new byte[50_000_000]);
        return Stream.of(
                ofBytes(bombs, "PNG, 16 megapixels in 2 KB", Forge.blackPng(4000, 4000), decoded(4000, 4000)),
                ofBytes(bombs, "PNG, 400 megapixels said", Forge.pngSaying(PNG, 20_000, 20_000), TOO_MANY),
                ofBytes(
                        bombs,
                        "PNG, all that can be said",
                        Forge.pngSaying(PNG, Integer.MAX_VALUE, Integer.MAX_VALUE),
                        TOO_MANY),
                ofBytes(bombs, "PNG, one row of 19 megapixels", Forge.pngSaying(PNG, 19_000_000, 1), CORRUPT),
                ofBytes(
                        bombs,
                        "PNG, colour profile of 50 MB",
                        Forge.pngWith(PNG, Forge.pngChunk("iCCP", join("a\0\0", zeros))),
                        GOOD),
                ofBytes(
                        bombs,
                        "PNG, text of 50 MB",
                        Forge.pngWith(PNG, Forge.pngChunk("zTXt", join("a\0\0", zeros))),
                        GOOD),
                ofBytes(
                        bombs,
                        "PNG, international text of 50 MB",
                        Forge.pngWith(PNG, Forge.pngChunk("iTXt", join("a\0\u0001\0\0\0", zeros))),
                        GOOD),
                ofBytes(
                        bombs,
                        "PNG, more pixels than said",
                        join(
                                Arrays.copyOf(PNG, 33),
                                Forge.pngChunk("IDAT", zeros),
                                Forge.pngChunk("IEND", new byte[0])),
                        GOOD),
                ofBytes(
                        bombs,
                        "PNG, ten thousand chunks",
                        Forge.pngWith(
                                PNG,
                                Collections.nCopies(10_000, Forge.pngChunk("tEXt", join("a\0b")))
                                        .toArray(byte[][]::new)),
                        GOOD),
                ofBytes(bombs, "JPEG, 4 gigapixels said", Forge.jpegSaying(JPEG, 65_500, 65_500), TOO_MANY),
                ofBytes(
                        bombs,
                        "JPEG, 52 megapixels, of which few are needed",
                        Forge.jpegSaying(JPEG, 8192, 6400),
                        decoded(8192, 6400)),
                ofBytes(
                        bombs,
                        "JPEG, 36 megapixels in passes",
                        Forge.jpegSaying(PROGRESSIVE, 0xC2, 6000, 6000),
                        TOO_MANY),
                ofBytes(bombs, "PNG, 16 megapixels, interlaced", interlaced(Forge.blackPng(4000, 4000)), TOO_MANY),
                ofBytes(
                        bombs,
                        "JPEG, 200 scans",
                        Forge.jpegRepeatingItsLastScan(PROGRESSIVE, 200),
                        refused(FailureReason.CORRUPT_IMAGE, "more than 100 scans")),
                ofBytes(
                        bombs,
                        "JPEG, 100,000 scans and no end",
                        Arrays.copyOf(Forge.jpegRepeatingItsLastScan(PROGRESSIVE, 20_000), 1_000_000),
                        refused(FailureReason.CORRUPT_IMAGE, "more than 100 scans")),
                ofBytes(
                        bombs,
                        "JPEG, 65,000 empty segments",
                        Forge.jpegWith(
                                JPEG,
                                Collections.nCopies(65_000, Forge.jpegSegment(0xFE, new byte[0]))
                                        .toArray(byte[][]::new)),
                        GOOD),
                ofBytes(
                        bombs,
                        "GIF, 16 megapixels in 40 bytes",
                        Forge.gif(4000, 4000, 0, 0, 4000, 4000),
                        decoded(4000, 4000)),
                ofBytes(
                        bombs,
                        "GIF, 19 megapixels with all their data",
                        Forge.blackGif(4400, 4400),
                        decoded(4400, 4400)),
                ofBytes(bombs, "GIF, 4 gigapixels", Forge.gif(65_535, 65_535, 0, 0, 1, 1), TOO_MANY),
                ofBytes(bombs, "GIF, 4 gigapixels of frame", Forge.gif(1, 1, 0, 0, 65_535, 65_535), TOO_MANY),
                ofBytes(bombs, "GIF, a pixel far away", Forge.gif(1, 1, 65_535, 65_535, 1, 1), TOO_MANY),
                ofBytes(
                        bombs,
                        "GIF, 100,000 frames",
                        join(
                                Arrays.copyOf(Forge.gif(40, 30, 0, 0, 40, 30), 19),
                                join(Collections.nCopies(100_000, Forge.gifFrame(0, 0, 40, 30))
                                        .toArray())),
                        decoded(40, 30)),
                ofBytes(
                        bombs,
                        "WebP, 268 megapixels said",
                        Forge.patched(
                                Forge.webp(WEBP_PICTURE),
                                ByteOrder.LITTLE_ENDIAN,
                                buffer -> buffer.putInt(21, 0x0FFFFFFF)),
                        TOO_MANY),
                ofBytes(
                        bombs,
                        "WebP, 268 megapixels said, lossy",
                        Forge.webp(Forge.webpChunk(
                                "VP8 ", join("\u0010\u0002\0\u009d\u0001*\u00ff?\u00ff?", new byte[30]))),
                        TOO_MANY),
                ofBytes(
                        bombs,
                        "WebP, a canvas of 281 terapixels",
                        Forge.webp(Forge.webpCanvas(0, 1 << 24, 1 << 24), WEBP_PICTURE),
                        TOO_MANY),
                ofBytes(bombs, "WebP, 9 megapixels in little", blackWebp(3000, 3000), decoded(3000, 3000)),
                ofBytes(
                        bombs,
                        "TIFF, 4 gigapixels said",
                        Forge.tiffSaying(
                                Forge.tiffSaying(TIFF, ImageDirectory.WIDTH, 65_535), ImageDirectory.HEIGHT, 65_535),
                        TOO_MANY),
                ofBytes(
                        bombs,
                        "TIFF, 16 megapixels, LZW",
                        Forge.tiff("LZW", List.of(black(4000, 4000))),
                        decoded(4000, 4000)),
                ofBytes(
                        bombs,
                        "TIFF, 16 megapixels, deflated",
                        Forge.tiff("Deflate", List.of(black(4000, 4000))),
                        decoded(4000, 4000)),
                ofBytes(bombs, "TIFF, a negative size", Forge.tiffSaying(TIFF, ImageDirectory.WIDTH, -1), CORRUPT),
                ofBytes(bombs, "BMP, 3.6 gigapixels of runs", Forge.bmp(60_000, 60_000, 1, new byte[2000]), TOO_MANY),
                ofBytes(bombs, "BMP, 16 megapixels of runs said", Forge.bmp(4000, 4000, 1, new byte[2000]), CORRUPT),
                HostileCase.of(
                        bombs,
                        "two megabytes of data: URI",
                        "data:," + "x".repeat(2_000_000),
                        refused(FailureReason.TOO_LARGE, "put the image where it can be fetched")),
                HostileCase.of(
                        bombs,
                        "two megabytes of Base64 white space",
                        "data:;base64," + "%0A".repeat(700_000),
                        refused(FailureReason.TOO_LARGE)));
    }

    private static Stream<HostileCase> lies() {
        Group lies = Group.LIES;
        byte[] bmp = Quarters.encode(PAGE, "bmp");
        byte[] frame = Arrays.copyOfRange(JPEG, Forge.jpegSegmentAt(JPEG, 0xC0), Forge.jpegSegmentAt(JPEG, 0xC0) + 19);
        return Stream.of(
                ofBytes(lies, "PNG, taller than its data", Forge.pngSaying(PNG, 40, 3000), CORRUPT),
                ofBytes(lies, "PNG, wider than its data", Forge.pngSaying(PNG, 4000, 30), CORRUPT),
                ofBytes(lies, "PNG, smaller than its data", Forge.pngSaying(PNG, 40, 3), decoded(40, 3)),
                ofBytes(
                        lies,
                        "PNG, no size",
                        Forge.pngSaying(PNG, 0, 0),
                        refused(FailureReason.CORRUPT_IMAGE, "says that it is 0 x 0")),
                ofBytes(lies, "PNG, a negative size", Forge.pngSaying(PNG, -40, 30), CORRUPT),
                ofBytes(
                        lies,
                        "PNG, a second header",
                        Forge.pngWith(
                                PNG, Forge.pngChunk("IHDR", join(Forge.int32(9000), Forge.int32(9000), new byte[] {
                                    8, 2, 0, 0, 0
                                }))),
                        CORRUPT),
                ofBytes(
                        lies,
                        "PNG, a wrong checksum",
                        Forge.patched(PNG, ByteOrder.BIG_ENDIAN, buffer -> buffer.putInt(29, 1)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "PNG, a chunk of 4 GB",
                        Forge.patched(PNG, ByteOrder.BIG_ENDIAN, buffer -> buffer.putInt(33, -1)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "PNG, no data",
                        join(Arrays.copyOf(PNG, 33), Forge.pngChunk("IEND", new byte[0])),
                        CORRUPT),
                ofBytes(lies, "PNG, a bit depth that is none", pngOfDepth(7, 2), CORRUPT),
                ofBytes(lies, "PNG, a colour type that is none", pngOfDepth(8, 5), CORRUPT),
                ofBytes(lies, "PNG, a palette that is not there", pngOfDepth(8, 3), CORRUPT),
                // OpenCV does not report missing data if the JPEG has its end marker
                ofBytes(lies, "JPEG, taller than its data", Forge.jpegSaying(JPEG, 40, 300), decoded(40, 300)),
                ofBytes(lies, "JPEG, smaller than its data", Forge.jpegSaying(JPEG, 8, 8), decoded(8, 8)),
                ofBytes(lies, "JPEG, no height", Forge.jpegSaying(JPEG, 40, 0), CORRUPT),
                ofBytes(lies, "JPEG, two frames", Forge.jpegWith(JPEG, frame), CORRUPT),
                ofBytes(
                        lies,
                        "JPEG, two frames, the second huge",
                        Forge.jpegWith(Forge.jpegSaying(JPEG, 60_000, 60_000), frame),
                        TOO_MANY),
                ofBytes(
                        lies,
                        "JPEG, two frames, the first huge",
                        Forge.jpegWith(
                                JPEG, Forge.patched(frame, ByteOrder.BIG_ENDIAN, buffer -> buffer.putInt(5, -1))),
                        CORRUPT),
                ofBytes(
                        lies,
                        "JPEG, no frame",
                        join(
                                Arrays.copyOf(JPEG, Forge.jpegSegmentAt(JPEG, 0xC0)),
                                Forge.tail(JPEG, Forge.jpegSegmentAt(JPEG, 0xC0) + 19)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "JPEG, a frame of 255 components",
                        Forge.patched(
                                JPEG,
                                ByteOrder.BIG_ENDIAN,
                                buffer -> buffer.put(Forge.jpegSegmentAt(JPEG, 0xC0) + 9, (byte) 255)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "JPEG, 12 bits a sample",
                        Forge.patched(
                                JPEG,
                                ByteOrder.BIG_ENDIAN,
                                buffer -> buffer.put(Forge.jpegSegmentAt(JPEG, 0xC0) + 4, (byte) 12)),
                        UNKNOWN),
                ofBytes(
                        lies,
                        "JPEG, lossless",
                        Forge.patched(
                                JPEG,
                                ByteOrder.BIG_ENDIAN,
                                buffer -> buffer.put(Forge.jpegSegmentAt(JPEG, 0xC0) + 1, (byte) 0xC3)),
                        UNKNOWN),
                ofBytes(lies, "JPEG, segments of length 0", Forge.jpegWith(JPEG, join("\u00ff\u00e0\0\0")), GOOD),
                ofBytes(lies, "JPEG, an end first", Forge.jpegWith(JPEG, join("\u00ff\u00d9")), CORRUPT),
                ofBytes(lies, "GIF, a frame larger than its screen", Forge.gif(1, 1, 0, 0, 40, 30), decoded(40, 30)),
                ofBytes(
                        lies,
                        "GIF, a screen larger than its frame",
                        Forge.gif(90, 80, 10, 10, 40, 30),
                        decoded(90, 80)),
                ofBytes(lies, "GIF, no size", Forge.gif(0, 0, 0, 0, 0, 0), CORRUPT),
                ofBytes(lies, "GIF, a frame of no size", Forge.gif(40, 30, 0, 0, 0, 0), CORRUPT),
                ofBytes(
                        lies,
                        "GIF, a code size that is none",
                        Forge.patched(
                                Forge.gif(40, 30, 0, 0, 40, 30),
                                ByteOrder.BIG_ENDIAN,
                                buffer -> buffer.put(29, (byte) 200)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "WebP, a canvas larger than its picture",
                        Forge.webp(Forge.webpCanvas(0, 400, 400), WEBP_PICTURE),
                        CORRUPT),
                ofBytes(
                        lies,
                        "WebP, a canvas smaller than its picture",
                        Forge.webp(Forge.webpCanvas(0, 1, 1), WEBP_PICTURE),
                        CORRUPT),
                ofBytes(
                        lies,
                        "WebP, longer than its file",
                        Forge.patched(WEBP, ByteOrder.LITTLE_ENDIAN, buffer -> buffer.putInt(4, 1 << 20)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "WebP, a chunk of 4 GB",
                        Forge.patched(WEBP, ByteOrder.LITTLE_ENDIAN, buffer -> buffer.putInt(16, -1)),
                        CORRUPT),
                ofBytes(lies, "WebP, no picture", Forge.webp(Forge.webpCanvas(0, 40, 30)), CORRUPT),
                ofBytes(
                        lies,
                        "TIFF, taller than its data",
                        Forge.tiffSaying(TIFF, ImageDirectory.HEIGHT, 3000),
                        CORRUPT),
                ofBytes(lies, "TIFF, strips beyond its end", Forge.tiffSaying(TIFF, 273, 1 << 30), CORRUPT),
                ofBytes(
                        lies,
                        "TIFF, a directory beyond its end",
                        Forge.patched(
                                TIFF,
                                TIFF[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
                                buffer -> buffer.putInt(4, 1 << 30)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "TIFF, a directory before its beginning",
                        Forge.patched(
                                TIFF,
                                TIFF[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
                                buffer -> buffer.putInt(4, -20)),
                        CORRUPT),
                ofBytes(lies, "TIFF, 65,535 samples a pixel", Forge.tiffSaying(TIFF, 277, 65_535), CORRUPT),
                ofBytes(lies, "TIFF, a compression that is none", Forge.tiffSaying(TIFF, 259, 31_337), GOOD),
                ofBytes(
                        lies,
                        "BMP, taller than its data",
                        Forge.patched(bmp, ByteOrder.LITTLE_ENDIAN, buffer -> buffer.putInt(22, 3000)),
                        CORRUPT),
                ofBytes(lies, "BMP, from the top", Forge.bmp(40, -30, 0, new byte[3600]), GOOD),
                ofBytes(lies, "BMP, the least height", Forge.bmp(40, Integer.MIN_VALUE, 0, new byte[3600]), CORRUPT),
                ofBytes(
                        lies,
                        "BMP, rows beyond its end",
                        Forge.patched(bmp, ByteOrder.LITTLE_ENDIAN, buffer -> buffer.putInt(10, 1 << 30)),
                        CORRUPT),
                ofBytes(
                        lies,
                        "BMP, rows before its beginning",
                        Forge.patched(bmp, ByteOrder.LITTLE_ENDIAN, buffer -> buffer.putInt(10, -100)),
                        CORRUPT));
    }

    private static Stream<HostileCase> animations() {
        Group animations = Group.ANIMATIONS;
        byte[] one = Forge.gif(40, 30, 0, 0, 40, 30);
        byte[] animated = join(
                Arrays.copyOf(one, 19),
                "!\u00ff\u000bNETSCAPE2.0\u0003\u0001\0\0\0",
                Forge.gifFrame(0, 0, 40, 30),
                Forge.gifFrame(0, 0, 40, 30),
                ";");
        byte[] pages = Forge.tiff("LZW", List.of(PAGE, Quarters.picture(10, 10, BufferedImage.TYPE_INT_RGB)));
        byte[] control = Forge.pngChunk("acTL", join(Forge.int32(2), Forge.int32(0)));
        return Stream.of(
                ofBytes(animations, "GIF, two frames", animated, GOOD),
                ofBytes(animations, "GIF, no end", Arrays.copyOf(animated, animated.length - 1), GOOD),
                ofBytes(
                        animations,
                        "GIF, no frame",
                        join(Arrays.copyOf(one, 19), ";"),
                        refused(FailureReason.CORRUPT_IMAGE, "has no frame")),
                ofBytes(
                        animations,
                        "GIF, comments and no frame",
                        join(
                                Arrays.copyOf(one, 19),
                                join(Collections.nCopies(1000, "!\u00fe\u0003abc\0")
                                        .toArray())),
                        CORRUPT),
                ofBytes(
                        animations,
                        "GIF, a comment without an end",
                        join(Arrays.copyOf(one, 19), "!\u00fe", "\u00ff".repeat(5000)),
                        CORRUPT),
                ofBytes(animations, "WebP, animated", Quarters.resource("animated.webp"), decoded(64, 64)),
                ofBytes(
                        animations,
                        "WebP, said to be animated",
                        Forge.webp(Forge.webpCanvas(2, 64, 64), WEBP_PICTURE),
                        refused(FailureReason.CORRUPT_IMAGE, "has no frame")),
                ofBytes(
                        animations,
                        "WebP, a frame beyond its canvas",
                        Forge.webp(Forge.webpCanvas(2, 64, 64), Forge.webpFrame(2, 0, 64, 64, WEBP_PICTURE)),
                        refused(FailureReason.CORRUPT_IMAGE, "beyond its canvas")),
                ofBytes(
                        animations,
                        "WebP, a frame larger than it says",
                        Forge.webp(Forge.webpCanvas(2, 64, 64), Forge.webpFrame(0, 0, 8, 8, WEBP_PICTURE)),
                        CORRUPT),
                ofBytes(
                        animations,
                        "WebP, a canvas of 281 terapixels with a frame",
                        Forge.webp(Forge.webpCanvas(2, 1 << 24, 1 << 24), Forge.webpFrame(0, 0, 64, 64, WEBP_PICTURE)),
                        TOO_MANY),
                ofBytes(
                        animations,
                        "TIFF, a thumbnail that follows itself",
                        Forge.tiffWithoutAnEnd(Forge.tiffOfKind(TIFF, 1)),
                        GOOD),
                ofBytes(animations, "PNG, animated", Forge.pngWith(PNG, control), GOOD),
                ofBytes(
                        animations,
                        "PNG, frames without control",
                        Forge.pngWith(PNG, Forge.pngChunk("fcTL", new byte[26]), Forge.pngChunk("fdAT", new byte[10])),
                        GOOD),
                ofBytes(animations, "TIFF, two pages", pages, GOOD),
                ofBytes(animations, "TIFF, a page that follows itself", Forge.tiffWithoutAnEnd(TIFF), GOOD),
                ofBytes(animations, "JPEG, a second picture", join(JPEG, Quarters.jpeg(400, 300)), GOOD));
    }

    private static Stream<HostileCase> metadata() {
        Group metadata = Group.METADATA;
        List<HostileCase> cases = new ArrayList<>();
        byte[] noise = new byte[200];
        Arrays.fill(noise, (byte) 0xEE);
        List.of(
                        exif("of nothing", ""),
                        exif("of noise", noise),
                        exif("that begins and ends", "MM\0*"),
                        exif("with a directory beyond its end", "MM\0*\u007f\u00ff\u00ff\u00ff"),
                        exif("with a directory before its beginning", "II*\0\u00f0\u00ff\u00ff\u00ff"),
                        exif("with 65,535 entries", "MM\0*\0\0\0\u0008\u00ff\u00ff"),
                        exif("with an orientation of 0", orientation(3, 0)),
                        exif("with an orientation of 9", orientation(3, 9)),
                        exif("with an orientation of 65,535", orientation(3, 65_535)),
                        exif("with an orientation in text", orientation(2, 6)),
                        exif("with an orientation of a type that is none", orientation(99, 6)),
                        exif("with a directory that is the header", "MM\0*\0\0\0\0"))
                .forEach(exif -> {
                    cases.add(ofBytes(
                            metadata,
                            "JPEG, EXIF " + exif.name(),
                            Forge.jpegWith(JPEG, Forge.jpegSegment(0xE1, join("Exif\0\0", exif.data()))),
                            GOOD));
                    cases.add(ofBytes(
                            metadata,
                            "PNG, EXIF " + exif.name(),
                            Forge.pngWith(PNG, Forge.pngChunk("eXIf", exif.data())),
                            GOOD));
                    cases.add(ofBytes(
                            metadata,
                            "WebP, EXIF " + exif.name(),
                            Forge.webp(Forge.webpCanvas(8, 64, 64), WEBP_PICTURE, Forge.webpChunk("EXIF", exif.data())),
                            decoded(64, 64)));
                });
        cases.addAll(List.of(
                ofBytes(
                        metadata,
                        "JPEG, colour profile of noise",
                        Forge.jpegWith(JPEG, Forge.jpegSegment(0xE2, join("ICC_PROFILE\0\u0001\u0001", noise))),
                        GOOD),
                ofBytes(
                        metadata,
                        "JPEG, colour profile, part 200 of 3",
                        Forge.jpegWith(JPEG, Forge.jpegSegment(0xE2, join("ICC_PROFILE\0\u00c8\u0003", noise))),
                        GOOD),
                ofBytes(metadata, "JPEG, colour profile of 2 MB of zeros", Forge.jpegWith(JPEG, hugeProfile()), GOOD),
                ofBytes(
                        metadata,
                        "JPEG, colour profile of nothing",
                        Forge.jpegWith(JPEG, Forge.jpegSegment(0xE2, join("ICC_PROFILE\0"))),
                        GOOD),
                ofBytes(
                        metadata,
                        "PNG, colour profile of noise",
                        Forge.pngWith(PNG, Forge.pngChunk("iCCP", join("a\0\0", noise))),
                        GOOD),
                ofBytes(
                        metadata,
                        "PNG, colour profile of nothing",
                        Forge.pngWith(PNG, Forge.pngChunk("iCCP", new byte[0])),
                        GOOD),
                ofBytes(metadata, "PNG, gamma of 0", Forge.pngWith(PNG, Forge.pngChunk("gAMA", new byte[4])), GOOD),
                ofBytes(
                        metadata,
                        "WebP, colour profile of noise",
                        Forge.webp(Forge.webpCanvas(0x20, 64, 64), Forge.webpChunk("ICCP", noise), WEBP_PICTURE),
                        decoded(64, 64)),
                ofBytes(
                        metadata,
                        "JPEG, XMP of noise",
                        Forge.jpegWith(JPEG, Forge.jpegSegment(0xE1, join("http://ns.adobe.com/xap/1.0/\0", noise))),
                        GOOD),
                ofBytes(
                        metadata,
                        "JPEG, a comment that forges a log line",
                        Forge.jpegWith(JPEG, Forge.jpegSegment(0xFE, join("\n12:00:00.000 ERROR forged\u001b[2J"))),
                        GOOD),
                ofBytes(metadata, "PNG, text without a key", Forge.pngWith(PNG, Forge.pngChunk("tEXt", noise)), GOOD),
                ofBytes(
                        metadata,
                        "PNG, a chunk that is none",
                        Forge.pngWith(PNG, Forge.pngChunk("\n\u001b[m", noise)),
                        CORRUPT)));
        return cases.stream();
    }

    /** EXIF data, and what is wrong with it. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Exif(String name, byte[] data) {}

    private static Exif exif(String name, Object data) {
        return new Exif(name, join(data));
    }

    private static byte[] orientation(int type, int value) {
        return join(
                "MM\0*\0\0\0\u0008\0\u0001\u0001\u0012",
                Forge.int16(type),
                Forge.int32(1),
                Forge.int16(value),
                new byte[6]);
    }

    private static byte[][] hugeProfile() {
        return IntStream.rangeClosed(1, 28)
                .mapToObj(i ->
                        Forge.jpegSegment(0xE2, join("ICC_PROFILE\0", new byte[] {(byte) i, 28}, new byte[65_000])))
                .toArray(byte[][]::new);
    }

    private static byte[] pngOfDepth(int bits, int colourType) {
        byte[] header = join(Forge.int32(40), Forge.int32(30), new byte[] {(byte) bits, (byte) colourType, 0, 0, 0});
        return join(Arrays.copyOf(PNG, 8), Forge.pngChunk("IHDR", header), Forge.tail(PNG, 33));
    }

    private static byte[] interlaced(byte[] png) {
        byte[] header = Arrays.copyOfRange(png, 16, 29);
        header[12] = 1;
        return join(Arrays.copyOf(png, 8), Forge.pngChunk("IHDR", header), Forge.tail(png, 33));
    }

    private static byte[] blackWebp(int width, int height) {
        OpenCv.load();
        Mat black = new Mat(height, width, CvType.CV_8UC3, new Scalar(0, 0, 0));
        MatOfByte encoded = new MatOfByte();
        Imgcodecs.imencode(".webp", black, encoded);
        black.release();
        byte[] bytes = encoded.toArray();
        encoded.release();
        return bytes;
    }

    private static BufferedImage black(int width, int height) {
        return new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
    }
}
