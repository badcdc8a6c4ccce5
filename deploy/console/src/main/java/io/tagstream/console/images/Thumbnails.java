/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.images;

import io.tagstream.inference.InferenceKeys;
import io.tagstream.inference.ModelRuntimes;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.EncodedImage;
import io.tagstream.model.image.FetchOptions;
import io.tagstream.model.image.ImageFetcher;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.ImageSources;
import io.tagstream.topology.config.TagstreamConfig;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import javax.imageio.ImageIO;

/**
 * Makes small JPEGs of images on this machine. Images are read as they are for the model: under the file roots only,
 * with links resolved, and within the same limits, and decoded where those are. Nothing is fetched from elsewhere.
 *
 * <p><i>Threading notes.</i> May be used by any number of threads, of which at most two decode at a time. The most
 * recently used thumbnails stay in memory.
 */
public final class Thumbnails implements AutoCloseable {
    /** The longer side, in pixels. */
    static final int SIZE = 320;

    private static final int KEPT = 256;
    private static final int AT_A_TIME = 2;

    private final ImageFetcher files;
    private final Supplier<Decoder> open;
    /** Opened by the first picture; guarded by this. */
    private Optional<Decoder> decoder = Optional.empty();

    private final Semaphore permits = new Semaphore(AT_A_TIME);
    private final Map<String, byte[]> kept = new LinkedHashMap<>(KEPT, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, byte[]> eldest) {
            return size() > KEPT;
        }
    };

    public Thumbnails(TagstreamConfig config) {
        files = new ImageFetcher(FetchOptions.builder()
                .fileRoots(config.getList(InferenceKeys.FETCH_FILE_ROOTS).stream()
                        .map(Path::of)
                        .toList())
                .maxBytes(config.getInt(InferenceKeys.DECODE_MAX_BYTES))
                .build());
        open = () -> ModelRuntimes.decoder(config, SIZE, Resize.LETTERBOX);
    }

    /**
     * A picture of at most {@value #SIZE} pixels a side.
     *
     * @param uri the location of a tagged image
     * @param sha256 the SHA-256 of the bytes that were tagged
     * @throws ImageException if it is not a file under the roots, no longer exists, or has changed since
     */
    public byte[] of(String uri, String sha256) throws ImageException, InterruptedException {
        if (!ImageSources.isFile(uri)) {
            throw new ImageException(
                    FailureReason.FETCH_BLOCKED, "the image is not on this machine; only local files have thumbnails");
        }
        synchronized (kept) {
            byte[] known = kept.get(sha256);
            if (known != null) {
                return known;
            }
        }
        permits.acquire();
        try (EncodedImage image = files.fetch(new ImageRequest(uri, Optional.of(sha256)))) {
            byte[] picture = picture(image.bytes());
            synchronized (kept) {
                kept.put(sha256, picture);
            }
            return picture;
        } finally {
            permits.release();
        }
    }

    private synchronized Decoder decoder() {
        Decoder opened = decoder.orElseGet(open);
        decoder = Optional.of(opened);
        return opened;
    }

    private byte[] picture(byte[] encoded) throws ImageException, InterruptedException {
        ByteBuffer square = ByteBuffer.allocateDirect(decoder().bytes());
        ImageSize size = decoder().decode(encoded, square);
        double factor = (double) SIZE / Math.max(size.width(), size.height());
        int width = Math.max(1, (int) Math.round(size.width() * factor));
        int height = Math.max(1, (int) Math.round(size.height() * factor));
        int left = (SIZE - width) / 2;
        int top = (SIZE - height) / 2;
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int pixel = 3 * ((top + y) * SIZE + left + x);
                int red = square.get(pixel) & 0xff;
                int green = square.get(pixel + 1) & 0xff;
                int blue = square.get(pixel + 2) & 0xff;
                picture.setRGB(x, y, (red << 16) | (green << 8) | blue);
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(picture, "jpeg", out);
        } catch (IOException e) {
            throw new UncheckedIOException("A JPEG cannot be written to memory", e);
        }
        return out.toByteArray();
    }

    @Override
    public void close() {
        files.close();
        synchronized (this) {
            decoder.ifPresent(Decoder::close);
        }
    }
}
