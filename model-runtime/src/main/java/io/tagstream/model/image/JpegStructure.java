/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/** The markers of a JPEG (ITU-T T.81, annex B). */
final class JpegStructure {
    private static final int START = 0xD8;
    private static final int END = 0xD9;
    private static final int SCAN = 0xDA;
    private static final int APP1 = 0xE1;
    private static final int APP2 = 0xE2;
    private static final int JPEG_LS_FRAME = 0xF7;
    /**
     * A progressive JPEG usually has about ten scans. Each takes a pass over the whole picture, however few bytes it
     * has: a few megabytes of scans would take hours.
     */
    private static final int MOST_SCANS = 100;
    /** A decoder holds the coefficients of all scans at a time, two bytes for each. */
    private static final int COEFFICIENT_BYTES = 2;

    private static final byte[] EXIF = {'E', 'x', 'i', 'f', 0, 0};
    private static final byte[] PROFILE = "ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII);

    private final ByteBuffer jpeg;
    private int width;
    private int height;
    private int orientation;
    private final SortedMap<Integer, ByteBuffer> profile = new TreeMap<>();
    private int partsOfProfile;
    private boolean progressive;
    private JpegProgress progress = new JpegProgress(new int[0]);
    /** Samples of all components for 64 pixels of the picture. */
    private int samplesPer64Pixels;

    private JpegStructure(ByteBuffer jpeg) {
        this.jpeg = jpeg;
    }

    static ImageHeader read(ByteBuffer jpeg) throws ImageException {
        return new JpegStructure(jpeg).read();
    }

    private ImageHeader read() throws ImageException {
        int position = 2;
        while (true) {
            while (unsigned(position) != 0xFF) {
                position++;
            }
            while (unsigned(position) == 0xFF) {
                position++;
            }
            int marker = unsigned(position++);
            if (marker == END) {
                throw ImageHeader.corrupt(ImageFormat.JPEG, "ends before its picture begins");
            }
            if (hasNoLength(marker)) {
                continue;
            }
            int length = jpeg.getShort(position) & 0xFFFF;
            if (isFrame(marker)) {
                readFrame(marker, position);
            } else if (marker == APP1 && orientation == 0 && startsWith(EXIF, position, length)) {
                orientation = ImageDirectory.orientation(jpeg.slice(position + 8, length - 8));
            } else if (marker == APP2 && startsWith(PROFILE, position, length - 2)) {
                int head = 2 + PROFILE.length + 2;
                profile.put(unsigned(position + head - 2), jpeg.slice(position + head, length - head));
                partsOfProfile = unsigned(position + head - 1);
            } else if (marker == SCAN) {
                return header(position, length);
            }
            position += length;
        }
    }

    private void readFrame(int marker, int position) throws ImageException {
        if (!isDecodable(marker)) {
            throw ImageHeader.unsupported(
                    ImageFormat.JPEG,
                    "of a rare kind (%s)".formatted(kind(marker)),
                    "submit a baseline or progressive JPEG");
        }
        int bits = unsigned(position + 2);
        if (bits == 12 || bits == 16) {
            throw ImageHeader.unsupported(
                    ImageFormat.JPEG, "with %d bits a sample".formatted(bits), "submit one with 8 bits");
        }
        progressive = (marker & 0x03) == 2;
        height = jpeg.getShort(position + 3) & 0xFFFF;
        width = jpeg.getShort(position + 5) & 0xFFFF;
        int[] components = new int[unsigned(position + 7)];
        int mostSamples = 1;
        int samples = 0;
        for (int i = 0; i < components.length; i++) {
            components[i] = unsigned(position + 8 + 3 * i);
            int factors = unsigned(position + 9 + 3 * i);
            int ofComponent = (factors >> 4) * (factors & 0x0F);
            mostSamples = Math.max(mostSamples, ofComponent);
            samples += ofComponent;
        }
        samplesPer64Pixels = 64 * samples / mostSamples;
        progress = new JpegProgress(components);
    }

    private ImageHeader header(int scan, int length) throws ImageException {
        progress.add(jpeg, scan);
        boolean moreScans = progressive || !progress.isComplete();
        // phones append previews and videos, so look for the end marker itself
        OptionalInt unendedAt = moreScans || !endsProperly() ? seekEnd(scan + length) : OptionalInt.empty();
        if (unendedAt.isPresent() && !progress.isComplete()) {
            throw new IndexOutOfBoundsException("scans");
        }
        // an unended picture is decoded twice
        int bytesPer64Pixels = (moreScans ? COEFFICIENT_BYTES * samplesPer64Pixels : 0)
                + 64 * PixelBudget.LEAST_BYTES_PER_PIXEL * (unendedAt.isPresent() ? 2 : 1);
        long cost = (long) width * height * bytesPer64Pixels / 64 / PixelBudget.BYTES_PER_PIXEL;
        List<ByteBuffer> wholeProfile = profile.size() == partsOfProfile ? List.copyOf(profile.values()) : List.of();
        return new ImageHeader(
                ImageFormat.JPEG, width, height, Math.max(1, orientation), cost, unendedAt, wholeProfile);
    }

    /** Whether the file ends with the end marker, apart from zeros. Nearly all files do, and this is quick to check. */
    private boolean endsProperly() {
        int last = jpeg.limit() - 1;
        while (last > 2 && jpeg.get(last) == 0) {
            last--;
        }
        return unsigned(last) == END && unsigned(last - 1) == 0xFF;
    }

    /**
     * Follows the markers from the data of the first scan on.
     *
     * @return where the data of the last scan ends, without the zeros that follow it in files that were not written to
     *     their end, if what follows it is not a JPEG's end
     */
    private OptionalInt seekEnd(int from) throws ImageException {
        OptionalInt dataEnd = seekDataEnd(from);
        if (dataEnd.isEmpty()) {
            return dataEnd;
        }
        int end = dataEnd.getAsInt();
        while (end > from && jpeg.get(end - 1) == 0) {
            end--;
        }
        // a zero after 0xFF makes it a byte of data
        boolean stuffed = unsigned(end - 1) == 0xFF && end < dataEnd.getAsInt();
        return OptionalInt.of(stuffed ? end + 1 : end);
    }

    private OptionalInt seekDataEnd(int from) throws ImageException {
        int position = from;
        int dataEnd = jpeg.limit();
        int scans = 1;
        while (position + 1 < jpeg.limit()) {
            if (unsigned(position) != 0xFF || isPartOfData(unsigned(position + 1))) {
                position++;
                continue;
            }
            int marker = unsigned(position + 1);
            dataEnd = Math.min(dataEnd, position);
            if (marker == END) {
                return OptionalInt.empty();
            }
            if (marker == START || hasNoLength(marker) || position + 3 >= jpeg.limit()) {
                return OptionalInt.of(dataEnd);
            }
            int data = position + 2 + (jpeg.getShort(position + 2) & 0xFFFF);
            if (marker == SCAN && data <= jpeg.limit()) {
                if (++scans > MOST_SCANS) {
                    throw ImageHeader.corrupt(ImageFormat.JPEG, "has more than %d scans".formatted(MOST_SCANS));
                }
                progress.add(jpeg, position + 2);
                dataEnd = jpeg.limit();
            }
            position = data;
        }
        return OptionalInt.of(dataEnd);
    }

    /** Whether a byte that follows 0xFF within a scan belongs to its data. */
    private static boolean isPartOfData(int following) {
        return following == 0 || following == 0xFF || (following >= 0xD0 && following <= 0xD7);
    }

    private static boolean isFrame(int marker) {
        boolean named = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        return named || marker == JPEG_LS_FRAME;
    }

    /** Baseline, extended and progressive, with Huffman or arithmetic coding. */
    private static boolean isDecodable(int marker) {
        return marker <= 0xC2 || marker == 0xC9 || marker == 0xCA;
    }

    private static String kind(int marker) {
        return switch (marker) {
            case 0xC3, 0xCB -> "lossless";
            case JPEG_LS_FRAME -> "JPEG-LS";
            default -> "hierarchical";
        };
    }

    private static boolean hasNoLength(int marker) {
        return marker <= 0x01 || (marker >= 0xD0 && marker <= START);
    }

    /** Whether the data of a segment, after its length, begins with a name. */
    private boolean startsWith(byte[] name, int position, int length) {
        return length >= 2 + name.length && ByteBuffer.wrap(name).equals(jpeg.slice(position + 2, name.length));
    }

    private int unsigned(int position) {
        return jpeg.get(position) & 0xFF;
    }
}
