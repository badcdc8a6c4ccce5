/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/** Reads small images out of {@code data:} URIs (RFC 2397). */
final class DataSource implements ImageSource {
    static final Kind KIND = new Kind(
            List.of("data"),
            Place.URI,
            "data:…",
            uri -> "data",
            (options, reader, addresses) -> new DataSource(options, reader));

    private final int maxBytes;
    private final LimitedReader reader;

    private DataSource(FetchOptions options, LimitedReader reader) {
        this.maxBytes = Math.min(options.maxDataUriBytes(), options.maxBytes());
        this.reader = reader;
    }

    @Override
    public LimitedReader.Content read(String uri, Duration longest) throws ImageException, InterruptedException {
        int comma = uri.indexOf(',');
        if (comma < 0) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE, "\"%s\" has no comma before its data".formatted(Excerpt.of(uri, 60)));
        }
        boolean base64 = uri.substring(0, comma).toLowerCase(Locale.ROOT).endsWith(";base64");
        // Base64 takes 4 characters for 3 bytes, percent-encoding up to 3 for each
        long mostCharacters = base64 ? (maxBytes + 2L) / 3 * 4 : 3L * maxBytes;
        if (uri.length() - comma - 1 > mostCharacters) {
            throw tooLarge();
        }
        byte[] bytes = decode(uri.substring(comma + 1), base64);
        if (bytes.length > maxBytes) {
            throw tooLarge();
        }
        return reader.take(bytes);
    }

    private static byte[] decode(String data, boolean base64) throws ImageException {
        try {
            // + is a digit in Base64 and a plain character otherwise, but the decoder would turn it into a space
            String text = URLDecoder.decode(data.replace("+", "%2B"), StandardCharsets.ISO_8859_1);
            return base64 ? Base64.getMimeDecoder().decode(text) : text.getBytes(StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "the data: URI's content is not %s: %s"
                            .formatted(base64 ? "Base64" : "percent-encoded", e.getMessage()),
                    e);
        }
    }

    private ImageException tooLarge() {
        return new ImageException(
                FailureReason.TOO_LARGE,
                "the data: URI holds more than the %d bytes allowed; put the image where it can be fetched"
                        .formatted(maxBytes));
    }
}
