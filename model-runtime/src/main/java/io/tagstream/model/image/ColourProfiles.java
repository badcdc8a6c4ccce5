/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.image.ColourConversion.Unchanged;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The conversions from embedded ICC profiles to sRGB. Few profiles are in use, so they are kept.
 *
 * <p><i>Threading notes.</i> May be used from any thread.
 */
final class ColourProfiles {
    private static final int MOST_KEPT = 32;
    private static final int MOST_BYTES = 4_000_000;
    private static final int PIECE_BYTES = 4096;

    private final Map<String, ColourConversion> kept = new LinkedHashMap<>(MOST_KEPT, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, ColourConversion> eldest) {
            return size() > MOST_KEPT;
        }
    };

    /** The conversion of an image's colours; a profile that cannot be read is as good as none. */
    ColourConversion of(ImageHeader header) {
        if (header.profile().isEmpty()) {
            return new Unchanged();
        }
        byte[] profile =
                header.format() == ImageFormat.PNG ? inflated(header.profile().get(0)) : joined(header.profile());
        String key = HexFormat.of().formatHex(sha256().digest(profile));
        synchronized (kept) {
            return kept.computeIfAbsent(key, absent -> ColourConversion.from(profile));
        }
    }

    private static byte[] joined(List<ByteBuffer> parts) {
        int length = parts.stream().mapToInt(ByteBuffer::limit).sum();
        if (length > MOST_BYTES) {
            return new byte[0];
        }
        ByteBuffer whole = ByteBuffer.allocate(length);
        parts.forEach(part -> whole.put(part.duplicate()));
        return whole.array();
    }

    private static byte[] inflated(ByteBuffer deflated) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(deflated.duplicate());
            ByteArrayOutputStream profile = new ByteArrayOutputStream();
            byte[] piece = new byte[PIECE_BYTES];
            int length = inflater.inflate(piece);
            while (length > 0 && profile.size() < MOST_BYTES) {
                profile.write(piece, 0, length);
                length = inflater.inflate(piece);
            }
            return inflater.finished() ? profile.toByteArray() : new byte[0];
        } catch (DataFormatException e) {
            return new byte[0];
        } finally {
            inflater.end();
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
