/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.bundle.Sha256;
import io.tagstream.model.image.ImageSource.Kind;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Fetches images by their URIs, from {@link ImageSources}. Characters beyond ASCII stand for their percent-encoded
 * UTF-8.
 *
 * <p><i>Threading notes.</i> {@link #fetch} blocks and may be called by any number of threads; {@link #close} makes the
 * calls in progress fail.
 */
public final class ImageFetcher implements AutoCloseable {
    private final Duration timeout;
    private final Map<Kind, ImageSource> sources;

    public ImageFetcher(FetchOptions options) {
        this(options, new AddressPolicy(options.allowPrivateAddresses()));
    }

    ImageFetcher(FetchOptions options, AddressPolicy addresses) {
        this.timeout = options.timeout();
        this.sources = ImageSources.open(options, addresses);
    }

    /**
     * Who serves an image: images with one origin share a limit. A redirect counts towards the origin that sent it.
     * Empty if the URI's scheme is not known.
     */
    public static String source(ImageRequest request) {
        return ImageSources.origin(request.uri());
    }

    /**
     * Reads an image's bytes and compares them with the expected checksum.
     *
     * @param longest how long a server may take, if that is less than the fetch timeout
     * @throws ImageException if anything is wrong with the URI, the source or the bytes
     */
    public EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException {
        Optional<String> expected = request.sha256();
        if (expected.isPresent() && !Sha256.isWellFormed(expected.get())) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "the expected SHA-256 \"%s\" is not 64 hexadecimal digits".formatted(Excerpt.of(expected.get())));
        }
        LimitedReader.Content content =
                sources.get(ImageSources.of(request.uri())).read(request.uri(), longest);
        EncodedImage image = new EncodedImage(content.bytes(), Sha256.of(content.bytes()), content.share());
        if (expected.isPresent() && !expected.get().equalsIgnoreCase(image.sha256())) {
            image.close();
            throw new ImageException(
                    FailureReason.CHECKSUM_MISMATCH,
                    "%s has SHA-256 %s, expected %s: it was changed or damaged; submit it with its current checksum"
                            .formatted(Excerpt.of(request.uri()), image.sha256(), expected.get()));
        }
        return image;
    }

    /** Reads an image as {@link #fetch(ImageRequest, Duration)} does, within the fetch timeout. */
    public EncodedImage fetch(ImageRequest request) throws ImageException, InterruptedException {
        return fetch(request, timeout);
    }

    @Override
    public void close() {
        sources.values().forEach(ImageSource::close);
    }
}
