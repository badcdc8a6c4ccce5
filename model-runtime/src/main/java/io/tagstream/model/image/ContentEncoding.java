/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;
import org.apache.hc.core5.http.Header;

/**
 * Undoes the compression of an answer (RFC 9110, section 8.4.1). Tagstream does not ask for any, but some servers
 * compress all the same.
 */
final class ContentEncoding {
    /** More layers are no server's habit. */
    private static final int MOST_LAYERS = 3;

    /** How many bytes tell compressed content from other content. */
    private static final int HEADER = 2;

    private static final int GZIP = 0x1F8B;

    private ContentEncoding() {}

    /** The encodings in the order in which they were applied; none if the content is as it is. */
    static List<String> of(Header[] headers) {
        List<String> encodings = new ArrayList<>();
        for (Header header : headers) {
            for (String each : header.getValue().split(",", -1)) {
                String encoding = each.strip().toLowerCase(Locale.ROOT);
                if (!encoding.isEmpty() && !encoding.equals("identity")) {
                    encodings.add(encoding);
                }
            }
        }
        return encodings;
    }

    /**
     * The content without its encodings; the caller limits what it reads. Encodings that are not known, or that the
     * content does not have, are taken for mistakes of the server, and the content is left as it is.
     *
     * @param what what messages call the source
     */
    static InputStream decoded(InputStream content, List<String> encodings, String what)
            throws ImageException, IOException {
        if (encodings.size() > MOST_LAYERS) {
            throw new ImageException(
                    FailureReason.UNSUPPORTED_FORMAT,
                    "%s is compressed %d times; serve it as it is".formatted(what, encodings.size()));
        }
        InputStream decoded = content;
        for (int layer = encodings.size() - 1; layer >= 0; layer--) {
            decoded = decoded(decoded, encodings.get(layer));
        }
        return decoded;
    }

    private static InputStream decoded(InputStream content, String encoding) throws IOException {
        PushbackInputStream begin = new PushbackInputStream(content, HEADER);
        byte[] header = begin.readNBytes(HEADER);
        begin.unread(header);
        int number = header.length < HEADER ? 0 : ((header[0] & 0xFF) << Byte.SIZE) | (header[1] & 0xFF);
        return switch (encoding) {
            case "gzip", "x-gzip" -> number == GZIP ? new GZIPInputStream(begin) : begin;
            case "deflate" -> isZlib(number) ? new InflaterInputStream(begin) : begin;
            default -> begin;
        };
    }

    /** RFC 1950, section 2.2: the method is deflate, and the number a multiple of 31. */
    private static boolean isZlib(int header) {
        return ((header >> Byte.SIZE) & 0x0F) == 8 && header % 31 == 0;
    }
}
