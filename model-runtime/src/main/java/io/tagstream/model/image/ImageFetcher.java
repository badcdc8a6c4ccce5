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
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * Fetches images by URI: {@code file:} under the configured roots, {@code http:}, {@code https:} and small
 * {@code data:} URIs. Letters beyond ASCII stand for their percent-encoded UTF-8.
 *
 * <p><i>Threading notes.</i> {@link #fetch} blocks and may be called from any number of threads; {@link #close} breaks
 * off what is under way.
 */
public final class ImageFetcher implements AutoCloseable {
    /** Far beyond the 253 characters of a host's name. */
    private static final int LONGEST_SOURCE = 300;

    private final Duration timeout;
    private final FileSource files;
    private final HttpSource http;
    private final DataSource data;

    public ImageFetcher(FetchOptions options) {
        this(options, new AddressPolicy(options.allowPrivateAddresses()));
    }

    ImageFetcher(FetchOptions options, AddressPolicy addresses) {
        this.timeout = options.timeout();
        ByteBudget budget = new ByteBudget(options);
        LimitedReader reader = new LimitedReader(options, budget);
        this.files = new FileSource(options, reader);
        this.http = new HttpSource(options, reader, addresses);
        this.data = new DataSource(options, budget);
    }

    /**
     * Who serves an image: images of one source share a limit. Scheme, host and port for {@code http:} and {@code https:},
     * else the scheme; redirects belong to who sends them.
     */
    public static String source(ImageRequest request) {
        String reference = request.uri();
        int colon = reference.indexOf(':');
        String scheme = colon < 0 ? "" : reference.substring(0, colon).toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            return scheme.equals("file") || scheme.equals("data") ? scheme : "";
        }
        int end = colon + 3;
        while (end < reference.length() && "/?#".indexOf(reference.charAt(end)) < 0 && end < LONGEST_SOURCE) {
            end++;
        }
        return reference.substring(0, Math.min(end, reference.length())).toLowerCase(Locale.ROOT);
    }

    /**
     * Reads an image's bytes and holds them against the expected checksum.
     *
     * @param longest how long a remote source may take at most, if that is less than the fetch timeout
     * @throws ImageException for everything that is wrong with the reference, the source or the bytes
     */
    public EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException {
        Optional<String> expected = request.sha256();
        if (expected.isPresent() && !Sha256.isWellFormed(expected.get())) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "the expected SHA-256 \"%s\" is not 64 hexadecimal digits".formatted(Excerpt.of(expected.get())));
        }
        LimitedReader.Content content = read(request.uri(), longest);
        EncodedImage image = new EncodedImage(content.bytes(), Sha256.of(content.bytes()), content.share());
        if (expected.isPresent() && !expected.get().equalsIgnoreCase(image.sha256())) {
            image.close();
            throw new ImageException(
                    FailureReason.CHECKSUM_MISMATCH,
                    "%s has SHA-256 %s, expected %s: it was changed or damaged; submit it with its present checksum"
                            .formatted(Excerpt.of(request.uri()), image.sha256(), expected.get()));
        }
        return image;
    }

    /** As {@link #fetch(ImageRequest, Duration)}, within the fetch timeout. */
    public EncodedImage fetch(ImageRequest request) throws ImageException, InterruptedException {
        return fetch(request, timeout);
    }

    @Override
    public void close() {
        http.close();
    }

    private LimitedReader.Content read(String reference, Duration longest) throws ImageException, InterruptedException {
        int colon = reference.indexOf(':');
        String scheme = colon < 0 ? "" : reference.substring(0, colon).toLowerCase(Locale.ROOT);
        // data: first, since java.net.URI would parse a megabyte for nothing
        return switch (scheme) {
            case "data" -> data.read(reference);
            case "file" -> files.read(uri(reference));
            case "http", "https" -> http.read(uri(reference), longest);
            case "" ->
                throw new ImageException(
                        FailureReason.BAD_REFERENCE,
                        "\"%s\" is no URI; submit file:///…, https://… or data:…".formatted(Excerpt.of(reference)));
            default ->
                throw new ImageException(
                        FailureReason.BAD_REFERENCE,
                        "\"%s\" has the unknown scheme \"%s\"; known are file, http, https and data"
                                .formatted(Excerpt.of(reference), Excerpt.of(scheme)));
        };
    }

    private static URI uri(String reference) throws ImageException {
        try {
            return new URI(Iri.encoded(reference));
        } catch (CharacterCodingException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "\"%s\" has half a character, an unpaired surrogate; submit the URI in full"
                            .formatted(Excerpt.of(reference)),
                    e);
        } catch (URISyntaxException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "\"%s\" is no valid URI at character %d: %s; percent-encode what is no URI character"
                            .formatted(Excerpt.of(e.getInput()), e.getIndex(), e.getReason()),
                    e);
        }
    }
}
