/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The image formats that can be decoded. A format is recognised by an image's first bytes, because names and content
 * types cannot be trusted.
 */
public enum ImageFormat {
    JPEG("JPEG", "jpg", "jpeg", "jpe", "jfif"),
    PNG("PNG", "png"),
    WEBP("WebP", "webp"),
    GIF("GIF", "gif"),
    BMP("BMP", "bmp"),
    TIFF("TIFF", "tif", "tiff");

    private static final int LOOK_AHEAD = 512;
    /** First bytes (as Latin-1) of other things that people submit. */
    private static final Map<String, String> OTHERS = Map.ofEntries(
            Map.entry("%PDF", "a PDF document"),
            Map.entry("8BPS", "a Photoshop document"),
            Map.entry("\u001f\u008b", "gzip-compressed data"),
            Map.entry("PK\u0003\u0004", "a ZIP archive or an office document"),
            Map.entry("\u00ff\n", "a JPEG XL image"),
            Map.entry("\0\0\0\fJXL ", "a JPEG XL image"),
            Map.entry("\0\0\0\fjP  ", "a JPEG 2000 image"),
            Map.entry("\u00ffO\u00ffQ", "a JPEG 2000 image"),
            Map.entry("\0\0\1\0", "an icon (ICO)"),
            Map.entry("%!PS", "a PostScript document"),
            Map.entry("\u001aE\u00df\u00a3", "a Matroska or WebM video"),
            Map.entry("II+\0", "a BigTIFF image"),
            Map.entry("MM\0+", "a BigTIFF image"));

    /** Extensions of pictures in other formats. */
    private static final Set<String> OTHER_EXTENSIONS =
            Set.of("arw", "avif", "cr2", "cr3", "dng", "heic", "heif", "jp2", "jxl", "nef", "psd", "raw", "svg");

    private final String title;

    @SuppressWarnings("ImmutableEnumChecker") // a copy
    private final List<String> extensions;

    ImageFormat(String title, String... extensions) {
        this.title = title;
        this.extensions = List.of(extensions);
    }

    /**
     * The format of the image that begins with {@code bytes}.
     *
     * @throws ImageException if it is none of these; the message says what the bytes look like instead
     */
    public static ImageFormat of(byte[] bytes) throws ImageException {
        String start = new String(bytes, 0, Math.min(bytes.length, LOOK_AHEAD), StandardCharsets.ISO_8859_1);
        for (ImageFormat format : values()) {
            if (format.begins(start, bytes)) {
                return format;
            }
        }
        throw new ImageException(
                FailureReason.UNSUPPORTED_FORMAT,
                bytes.length == 0
                        ? "the file is empty (0 bytes)"
                        : "the bytes are %s, not an image of a known format; submit %s"
                                .formatted(describe(start, bytes), Series.of(titles(), "or")));
    }

    private static List<String> titles() {
        return Arrays.stream(values()).map(ImageFormat::toString).toList();
    }

    /** The extensions of all formats, lower case. */
    public static Set<String> allExtensions() {
        return Arrays.stream(values())
                .flatMap(format -> format.extensions.stream())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Extensions of pictures that cannot be decoded, lower case, such as {@code heic}. */
    public static Set<String> otherExtensions() {
        return OTHER_EXTENSIONS;
    }

    /** The extensions of file names, lower case, the usual one first. */
    public List<String> extensions() {
        return extensions;
    }

    /** The usual extension of file names, such as {@code jpg}. */
    public String extension() {
        return extensions.get(0);
    }

    /** What people call it, such as {@code WebP}. */
    @Override
    public String toString() {
        return title;
    }

    private boolean begins(String start, byte[] bytes) {
        return switch (this) {
            case JPEG -> start.startsWith("\u00ff\u00d8\u00ff");
            case PNG -> start.startsWith("\u0089PNG\r\n\u001a\n");
            case WEBP -> start.startsWith("RIFF") && start.startsWith("WEBP", 8);
            case GIF -> start.startsWith("GIF87a") || start.startsWith("GIF89a");
            case BMP -> BmpStructure.begins(ByteBuffer.wrap(bytes));
            case TIFF -> start.startsWith("II*\0") || start.startsWith("MM\0*");
        };
    }

    /** Reads an image's header, and checks what its decoder does not check. */
    ImageHeader header(ByteBuffer image) throws ImageException {
        return switch (this) {
            case JPEG -> JpegStructure.read(image);
            case PNG -> PngStructure.read(image);
            case WEBP -> WebpStructure.read(image);
            case GIF -> GifStructure.read(image);
            case BMP -> BmpStructure.read(image);
            case TIFF -> TiffStructure.read(image);
        };
    }

    private static String describe(String start, byte[] bytes) {
        for (Map.Entry<String, String> other : OTHERS.entrySet()) {
            if (start.startsWith(other.getKey())) {
                return other.getValue();
            }
        }
        if (start.startsWith("ftyp", 4) && start.length() >= 12) {
            return mediaContainer(start.substring(8, 12));
        }
        String text = new String(bytes, 0, Math.min(bytes.length, LOOK_AHEAD), StandardCharsets.UTF_8)
                .replace("\uFEFF", "")
                .strip();
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
            return "an HTML page (\"%s\"), probably an error or login page of the server"
                    .formatted(Excerpt.of(text.replaceAll("\\s+", " "), 60));
        }
        if (lower.contains("<svg")) {
            return "an SVG drawing";
        }
        if (lower.startsWith("<?xml") || lower.startsWith("<")) {
            return "an XML or HTML document (\"%s\")".formatted(Excerpt.of(text.replaceAll("\\s+", " "), 60));
        }
        if (lower.startsWith("{") || lower.startsWith("[")) {
            return "JSON (\"%s\")".formatted(Excerpt.of(text.replaceAll("\\s+", " "), 60));
        }
        if (!text.isEmpty() && text.chars().allMatch(ImageFormat::isText)) {
            return "text (\"%s\")".formatted(Excerpt.of(text.replaceAll("\\s+", " "), 60));
        }
        return "unknown (they begin with %s)"
                .formatted(HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Math.min(bytes.length, 8)));
    }

    private static String mediaContainer(String brand) {
        return switch (brand) {
            case "avif", "avis" -> "an AVIF image";
            case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1" -> "a HEIC/HEIF image";
            default -> "a video or other ISO media file (brand \"%s\")".formatted(Excerpt.of(brand));
        };
    }

    private static boolean isText(int character) {
        return (character >= ' ' && character != '\uFFFD' && character != 0x7F) || Character.isWhitespace(character);
    }
}
