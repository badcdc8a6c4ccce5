/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.tagstream.console.api.ProblemException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Checks the token: programs send it in a header, and browsers send a cookie that is derived from it. The cookie does
 * not reveal the token. Every instance with the same token accepts the cookie, and a new token invalidates old cookies.
 */
final class TokenSession {
    private static final String COOKIE = "tagstream-console";
    private static final String BEARER = "Bearer ";
    private static final String ALGORITHM = "HmacSHA256";

    private final byte[] token;
    private final String cookie;

    TokenSession(String token) {
        this.token = token.getBytes(StandardCharsets.UTF_8);
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(this.token, ALGORITHM));
            cookie = HexFormat.of().formatHex(mac.doFinal("console cookie".getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform supports " + ALGORITHM, e);
        }
    }

    boolean isShownBy(Context request) {
        Optional<String> bearer = Optional.ofNullable(request.header("Authorization"))
                .filter(header -> header.regionMatches(true, 0, BEARER, 0, BEARER.length()))
                .map(header -> header.substring(BEARER.length()).strip());
        return bearer.map(this::isToken)
                .orElseGet(() -> Optional.ofNullable(request.cookie(COOKIE))
                        .map(shown ->
                                same(shown.getBytes(StandardCharsets.UTF_8), cookie.getBytes(StandardCharsets.UTF_8)))
                        .orElse(false));
    }

    /** Sets the cookie if the token is right. */
    void begin(Context request, String shown) {
        if (!isToken(shown)) {
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

    private boolean isToken(String shown) {
        return same(shown.getBytes(StandardCharsets.UTF_8), token);
    }

    /** Compares in constant time, which does not reveal where the two differ. */
    private static boolean same(byte[] one, byte[] other) {
        return MessageDigest.isEqual(one, other);
    }
}
