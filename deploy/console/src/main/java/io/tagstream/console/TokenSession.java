/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.tagstream.console.api.PeerSignature;
import io.tagstream.console.api.ProblemException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Checks the token: programs send it in a header, and browsers send a cookie that is derived from it. The cookie does
 * not reveal the token. Every instance with the same token accepts the cookie, and a new token invalidates old cookies.
 * Other instances send a {@link PeerSignature}.
 */
final class TokenSession {
    private static final String COOKIE = "tagstream-console";
    private static final String BEARER = "Bearer ";
    private static final String ALGORITHM = "HmacSHA256";

    private final String secret;
    private final byte[] token;
    private final String cookie;
    private final Optional<String> address;
    private final InstantSource clock;
    private final Guesses guesses;

    /**
     * @param address host and port at which other instances ask this one, if they can
     */
    TokenSession(String token, Optional<String> address, InstantSource clock) {
        this.secret = token;
        this.address = address;
        this.clock = clock;
        this.guesses = new Guesses(clock);
        this.token = token.getBytes(StandardCharsets.UTF_8);
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(this.token, ALGORITHM));
            cookie = HexFormat.of().formatHex(mac.doFinal("console cookie".getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform supports " + ALGORITHM, e);
        }
    }

    /**
     * Whether the request shows the token, the cookie, or another instance's signature.
     *
     * @throws ProblemException if it shows a token, and none is looked at now
     */
    boolean isShownBy(Context request) {
        Optional<String> header = Optional.ofNullable(request.header("Authorization"));
        if (header.isPresent() && header.get().startsWith(PeerSignature.SCHEME)) {
            return address.isPresent() && PeerSignature.isValid(header.get(), secret, address.get(), clock.instant());
        }
        Optional<String> bearer = header.filter(value -> value.regionMatches(true, 0, BEARER, 0, BEARER.length()))
                .map(value -> value.substring(BEARER.length()).strip());
        return bearer.map(shown -> isToken(request, shown))
                .orElseGet(() -> Optional.ofNullable(request.cookie(COOKIE))
                        .map(shown ->
                                same(shown.getBytes(StandardCharsets.UTF_8), cookie.getBytes(StandardCharsets.UTF_8)))
                        .orElse(false));
    }

    /**
     * Sets the cookie if the token is right.
     *
     * @throws ProblemException if it is wrong, or none is looked at now
     */
    void begin(Context request, String shown) {
        if (!isToken(request, shown)) {
            throw ProblemException.of(
                    HttpStatus.UNAUTHORIZED, "this is not the token; send the value of console.token");
        }
        setCookie(request, cookie, "");
    }

    /** Deletes the cookie. */
    void end(Context request) {
        setCookie(request, "", "; Max-Age=0");
    }

    private static void setCookie(Context request, String value, String more) {
        String secure = request.scheme().equals("https") ? "; Secure" : "";
        request.res()
                .addHeader("Set-Cookie", COOKIE + "=" + value + "; Path=/; HttpOnly; SameSite=Strict" + secure + more);
    }

    private boolean isToken(Context request, String shown) {
        long wait = guesses.secondsToWait();
        if (wait > 0) {
            request.header("Retry-After", Long.toString(wait));
            throw ProblemException.of(
                    HttpStatus.TOO_MANY_REQUESTS,
                    "too many wrong tokens were sent; tokens are looked at again in %d s".formatted(wait));
        }
        boolean right = same(shown.getBytes(StandardCharsets.UTF_8), token);
        if (!right) {
            guesses.add(request.ip());
        }
        return right;
    }

    /** Compares in constant time, which does not reveal where the two differ. */
    private static boolean same(byte[] one, byte[] other) {
        return MessageDigest.isEqual(one, other);
    }
}
