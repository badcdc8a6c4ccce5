/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.bundle;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/** SHA-256 as 64 hexadecimal digits. */
public final class Sha256 {
    private static final Pattern DIGITS = Pattern.compile("[0-9a-fA-F]{64}");

    private Sha256() {}

    /** The checksum of {@code bytes}, in lower case. */
    public static String of(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Whether {@code text} has the form of a checksum. */
    public static boolean isWellFormed(String text) {
        return DIGITS.matcher(text).matches();
    }
}
