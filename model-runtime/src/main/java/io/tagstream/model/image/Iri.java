/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.net.IDN;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns addresses with characters beyond ASCII (RFC 3987) into the ASCII that is sent to a server.
 *
 * <p>In paths and queries such characters become percent-encoded UTF-8. They are not normalised: a server may have two
 * images under names that look the same. What is percent-encoded already stays as it is.
 */
final class Iri {
    /** Up to the end of the host, which has an encoding of its own. */
    private static final Pattern TO_AUTHORITY = Pattern.compile("([^/?#]*:)?//[^/?#]*");

    /** ASCII characters that a URI must not have. Servers redirect to addresses that have them, and browsers follow. */
    private static final String NOT_IN_URIS = " \"<>\\^`{|}";

    private static final Pattern BARE_PERCENT = Pattern.compile("%(?![0-9A-Fa-f]{2})");

    private static final Pattern PATH_END = Pattern.compile("[?#]");

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private Iri() {}

    /**
     * An image's URI in ASCII, except for the host.
     *
     * @throws ImageException if it is not valid, or has ASCII characters that must be percent-encoded
     */
    static URI uri(String text) throws ImageException {
        try {
            return new URI(encoded(text));
        } catch (CharacterCodingException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "\"%s\" has half a character, an unpaired surrogate; submit the URI in full"
                            .formatted(Excerpt.of(text)),
                    e);
        } catch (URISyntaxException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "\"%s\" is not a valid URI at character %d: %s; percent-encode characters that a URI cannot have"
                            .formatted(Excerpt.of(e.getInput()), e.getIndex(), e.getReason()),
                    e);
        }
    }

    /**
     * The same as text, before the ASCII characters are checked.
     *
     * @throws CharacterCodingException if it has half a character
     */
    static String encoded(String text) throws CharacterCodingException {
        // getBytes would replace half a character with a question mark
        StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        return encoded(text, StandardCharsets.UTF_8, "");
    }

    /**
     * The same for a redirect's Location header, which the HTTP client always reads as Latin-1. Bytes that are not
     * UTF-8 are sent back unchanged.
     */
    static String encodedLocation(String header) {
        byte[] bytes = header.getBytes(StandardCharsets.ISO_8859_1);
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return encoded(lenient(text), StandardCharsets.UTF_8, NOT_IN_URIS);
        } catch (CharacterCodingException e) {
            return encoded(lenient(header), StandardCharsets.ISO_8859_1, NOT_IN_URIS);
        }
    }

    /** Encodes percent signs that encode nothing, and brackets in the path, as browsers do. */
    private static String lenient(String location) {
        String text = BARE_PERCENT.matcher(location).replaceAll("%25");
        Matcher authority = TO_AUTHORITY.matcher(text);
        int path = authority.lookingAt() ? authority.end() : 0;
        Matcher end = PATH_END.matcher(text);
        int query = end.find(path) ? end.start() : text.length();
        return text.substring(0, path)
                + text.substring(path, query).replace("[", "%5B").replace("]", "%5D")
                + text.substring(query);
    }

    private static String encoded(String text, Charset charset, String alsoEncoded) {
        Matcher authority = TO_AUTHORITY.matcher(text);
        int from = authority.lookingAt() ? authority.end() : 0;
        StringBuilder encoded = new StringBuilder(text.substring(0, from));
        text.substring(from).codePoints().mapToObj(Character::toString).forEach(character -> {
            if (isAscii(character) && !alsoEncoded.contains(character)) {
                encoded.append(character);
                return;
            }
            for (byte b : character.getBytes(charset)) {
                encoded.append('%').append(HEX.toHexDigits(b));
            }
        });
        return encoded.toString();
    }

    /**
     * Whether the host's name means exactly one host. The HTTP client looks names up in ASCII (IDNA 2003, RFC 3490),
     * which replaces some letters by others. Later versions of IDNA keep some of those letters, so the name may belong
     * to another host.
     */
    static boolean hasOneHost(URI uri) {
        String authority = uri.getRawAuthority();
        int colon = authority.lastIndexOf(':');
        String host = colon < 0 ? authority : authority.substring(0, colon);
        try {
            return isAscii(host) || lowerCase(IDN.toUnicode(IDN.toASCII(host))).equals(lowerCase(host));
        } catch (IllegalArgumentException e) {
            // not a host's name
            return false;
        }
    }

    private static String lowerCase(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(character -> character < 0x80);
    }
}
