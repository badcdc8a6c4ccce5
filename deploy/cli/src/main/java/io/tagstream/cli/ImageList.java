/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.ImageReference;
import io.tagstream.cluster.OperatorException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The images that somebody names: one by one, or in lists with one image a line. A list consists of URIs and paths, of
 * comma-separated values below a header, or of JSON objects ({@link ImageLine}); its first line says which. Blank lines
 * and lines that begin with {@code #} are skipped. A line that names no image is reported and counted, and the others
 * are taken. Used by one thread.
 */
final class ImageList {
    /** How much of a file is examined to tell a list from an image, in bytes. */
    private static final int EXAMINED = 4096;
    /** How many wrong lines of a list are reported each. */
    private static final int REPORTED = 20;

    /** The byte order marks of UTF-16. */
    private static final Set<ByteBuffer> UTF_16 = Set.of(
            ByteBuffer.wrap(new byte[] {(byte) 0xff, (byte) 0xfe}),
            ByteBuffer.wrap(new byte[] {(byte) 0xfe, (byte) 0xff}));

    private static final String BYTE_ORDER_MARK = "\ufeff";
    /** What a decoder puts in the place of bytes that are no text. */
    private static final String REPLACEMENT = "\ufffd";

    private final Consumer<String> complaints;
    private final Map<String, ImageReference> images = new LinkedHashMap<>();
    private final Map<String, String> places = new HashMap<>();
    private int wrongLines;

    /** @param complaints receives a sentence for each line that names no image */
    ImageList(Consumer<String> complaints) {
        this.complaints = complaints;
    }

    /** The references by the images' ids, in the order in which they were named; a view. */
    Map<String, ImageReference> images() {
        return Collections.unmodifiableMap(images);
    }

    /** How many lines of lists named no image. */
    int wrongLines() {
        return wrongLines;
    }

    /**
     * Adds what an argument names: an image, or the images of a list.
     *
     * @param argument a URI, or the path of an image or of a text file, which is a list
     * @throws OperatorException of kind INVALID, if it is none of these
     */
    void add(String argument) {
        if (isUri(argument)) {
            put(ImageLine.named(argument), argument);
            return;
        }
        Path file = file(argument);
        if (isText(file)) {
            try (InputStream bytes = Files.newInputStream(file)) {
                addLines(bytes, argument);
            } catch (IOException | UncheckedIOException e) {
                throw OperatorException.failed("the list %s cannot be read: %s".formatted(argument, e.getMessage()), e);
            }
        } else {
            put(ImageLine.named(argument), argument);
        }
    }

    /**
     * Adds the images of a list.
     *
     * @param bytes UTF-8 text
     * @param origin the name of the list in messages
     * @throws OperatorException of kind INVALID, if it begins with a header that is wrong
     * @throws UncheckedIOException if it cannot be read
     */
    void addLines(InputStream bytes, String origin) {
        Lines lines = new Lines(origin);
        new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8))
                .lines()
                .forEach(lines::take);
        lines.end();
    }

    /** The lines of one list. */
    private final class Lines {
        private final String origin;
        private ImageLine form;
        private int number;
        private int wrong;

        Lines(String origin) {
            this.origin = origin;
        }

        void take(String line) {
            number++;
            String text = (number == 1 && line.startsWith(BYTE_ORDER_MARK) ? line.substring(1) : line).strip();
            if (text.isEmpty() || text.startsWith("#")) {
                return;
            }
            String place = "%s, line %d".formatted(origin, number);
            if (form == null) {
                form = ImageLine.form(text, place);
                if (form.isHeader()) {
                    return;
                }
            }
            try {
                if (text.contains(REPLACEMENT)) {
                    throw OperatorException.invalid("not UTF-8 text; save the list in that encoding");
                }
                put(form.read(text), place);
            } catch (OperatorException e) {
                wrongLines++;
                if (++wrong <= REPORTED) {
                    complaints.accept(place + ": " + e.getMessage());
                }
            }
        }

        void end() {
            if (wrong > REPORTED) {
                complaints.accept("%s: %d more lines name no image".formatted(origin, wrong - REPORTED));
            }
        }
    }

    private void put(ImageLine.Named image, String place) {
        ImageReference earlier = images.putIfAbsent(image.id(), image.reference());
        if (earlier == null) {
            places.put(image.id(), place);
        } else if (!earlier.equals(image.reference())) {
            throw OperatorException.invalid("the id \"%s\" was given to another image (%s); give each image its own"
                    .formatted(image.id(), places.get(image.id())));
        }
    }

    /** Whether a text has a scheme, as URIs do. */
    private static boolean isUri(String text) {
        return text.matches("(?is)[a-z][a-z0-9+.-]+:.*");
    }

    /**
     * Returns the URI that a text is, or the URI of the file that it names.
     *
     * @throws OperatorException of kind INVALID, if it is neither
     */
    static String uri(String text) {
        return isUri(text)
                ? text
                : file(text).toAbsolutePath().normalize().toUri().toString();
    }

    private static Path file(String text) {
        try {
            Path path = Path.of(text);
            if (Files.isRegularFile(path)) {
                return path;
            }
            if (Files.isDirectory(path)) {
                throw OperatorException.invalid(
                        "%s is a folder; give its images, such as: find %s -name '*.jpg' | tagstream submit -"
                                .formatted(text, text));
            }
        } catch (InvalidPathException e) {
            throw OperatorException.invalid("%s is neither a URI nor a path: %s".formatted(text, e.getReason()), e);
        }
        throw OperatorException.invalid("%s is neither a URI nor an existing file".formatted(text));
    }

    /** Whether a file begins with text. Every image format has bytes near its beginning that no text has. */
    private static boolean isText(Path file) {
        byte[] beginning;
        try (InputStream bytes = Files.newInputStream(file)) {
            beginning = bytes.readNBytes(EXAMINED);
        } catch (IOException e) {
            return false; // where it is tagged, it may be readable
        }
        if (beginning.length == 0) {
            throw OperatorException.invalid("%s is empty: neither an image nor a list of images".formatted(file));
        }
        if (UTF_16.contains(ByteBuffer.wrap(beginning, 0, Math.min(2, beginning.length)))) {
            throw OperatorException.invalid("%s is UTF-16 text; save the list as UTF-8".formatted(file));
        }
        for (byte one : beginning) {
            if (one >= 0 && one < ' ' && one != '\t' && one != '\n' && one != '\r') {
                return false;
            }
        }
        return true;
    }
}
