/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What an instance sends to another one instead of the token: a signature for the other's address and the present time.
 * Whoever announces a false address learns nothing but a signature that no other address accepts.
 */
public final class PeerSignature {
    /** The scheme in the header {@code Authorization}. */
    public static final String SCHEME = "Tagstream-Peer ";

    private static final String ALGORITHM = "HmacSHA256";
    /** By how much two clocks may differ, with the time that a request takes. */
    private static final Duration VALID = Duration.ofMinutes(5);

    private PeerSignature() {}

    /**
     * The value of the header for a request.
     *
     * @param token {@code console.token}
     * @param address host and port that the request goes to, as that instance announces them
     */
    public static String of(String token, String address, Instant now) {
        return SCHEME + now.getEpochSecond() + ":" + signature(token, address, now.getEpochSecond());
    }

    /** Whether the value of a header is a valid signature for this instance's own address. */
    public static boolean isValid(String header, String token, String ownAddress, Instant now) {
        int colon = header.indexOf(':');
        if (!header.startsWith(SCHEME) || colon < 0) {
            return false;
        }
        long second;
        try {
            second = Long.parseLong(header.substring(SCHEME.length(), colon));
        } catch (NumberFormatException e) {
            return false;
        }
        return second >= now.minus(VALID).getEpochSecond()
                && second <= now.plus(VALID).getEpochSecond()
                && MessageDigest.isEqual(
                        signature(token, ownAddress, second).getBytes(StandardCharsets.UTF_8),
                        header.substring(colon + 1).getBytes(StandardCharsets.UTF_8));
    }

    private static String signature(String token, String address, long second) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(token.getBytes(StandardCharsets.UTF_8), ALGORITHM));
            return HexFormat.of()
                    .formatHex(
                            mac.doFinal("peer %s %d".formatted(address, second).getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform supports " + ALGORITHM, e);
        }
    }
}
