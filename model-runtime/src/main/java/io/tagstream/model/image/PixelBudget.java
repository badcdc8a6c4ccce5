/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.util.Set;
import java.util.concurrent.Semaphore;

/**
 * Admits images to decoding by their headers. There is a limit on the pixels of an image, and all images being decoded
 * at a time stay within the same limit together. So many images that are tiny in bytes and huge in pixels take no more
 * memory than one. Pixels count by what they cost: those of a JPEG in one pass less than half, those of an interlaced
 * PNG double.
 *
 * <p><i>Threading notes.</i> May be used from any thread. Images wait for their turn, first come, first served.
 */
public final class PixelBudget {
    /** The most pixels by default: 100 million. */
    public static final long DEFAULT_MAX_PIXELS = 100_000_000;

    /** What decoding takes for each pixel that counts, in bytes. */
    public static final int BYTES_PER_PIXEL = 8;

    /** What the pixels of a JPEG in one pass take, the cheapest ones. */
    static final int LEAST_BYTES_PER_PIXEL = 3;

    private static final int UNIT = 1024;

    private final long maxPixels;
    private final Set<ImageFormat> formats;
    private final OptionNames names;
    private final int units;
    private final Semaphore free;

    /** Of every format. */
    public PixelBudget(long maxPixels, OptionNames names) {
        this(maxPixels, Set.of(ImageFormat.values()), names);
    }

    /**
     * @param maxPixels of an image, and of all images being decoded at a time together
     * @param formats the ones to admit
     * @param names what messages call the options
     */
    public PixelBudget(long maxPixels, Set<ImageFormat> formats, OptionNames names) {
        this.formats = Set.copyOf(formats);
        this.maxPixels = maxPixels;
        this.names = names;
        this.units = (int) Math.min(Integer.MAX_VALUE, maxPixels / UNIT + 1);
        this.free = new Semaphore(units, true);
    }

    /** The pixels of the largest image that a limit admits: a JPEG, each of whose pixels counts for less than one. */
    public static long mostPixels(long maxPixels) {
        return (long) Math.ceil((double) maxPixels * BYTES_PER_PIXEL / LEAST_BYTES_PER_PIXEL);
    }

    /**
     * Waits until the image may be decoded.
     *
     * @throws ImageException if the bytes are not a whole image of an admitted format, or it has too many pixels
     */
    public Share admit(byte[] encoded) throws ImageException, InterruptedException {
        ImageFormat format = ImageFormat.of(encoded);
        if (!formats.contains(format)) {
            throw new ImageException(
                    FailureReason.UNSUPPORTED_FORMAT,
                    "images in the format %s are not decoded here; submit another format, or add this one to %s"
                            .formatted(format, names.decodeFormats()));
        }
        ImageHeader header = ImageHeader.read(encoded);
        if (header.cost() > maxPixels) {
            throw new ImageException(
                    FailureReason.TOO_MANY_PIXELS,
                    "the %s is %d x %d = %d pixels%s, more than the %d allowed; submit a smaller image or raise %s"
                            .formatted(
                                    header.format(),
                                    header.width(),
                                    header.height(),
                                    header.pixels(),
                                    header.cost() == header.pixels() ? "" : ", which count as " + header.cost(),
                                    maxPixels,
                                    names.maxPixels()));
        }
        int taken = (int) Math.min(units, header.cost() / UNIT + 1);
        free.acquire(taken);
        return new Share(header, taken);
    }

    /** A part of the budget; closing returns it. */
    public final class Share implements AutoCloseable {
        private final ImageHeader header;
        private final int taken;

        private Share(ImageHeader header, int taken) {
            this.header = header;
            this.taken = taken;
        }

        /** The image's format, for messages. */
        public String format() {
            return header.format().toString();
        }

        ImageHeader header() {
            return header;
        }

        @Override
        public void close() {
            free.release(taken);
        }
    }
}
