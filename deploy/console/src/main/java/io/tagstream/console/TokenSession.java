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
 * The token: shown in a header by programs, and by browsers in a cookie that is made from it. Who has the cookie cannot
 * tell the token; every instance with the same token knows the cookie, and a new token makes old ones worthless.
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
            throw new IllegalStateException("Every Java has " + ALGORITHM, e);
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

    /** Gives the cookie to whoever shows the token. */
    void begin(Context request, String shown) {
        if (!isToken(shown)) {
            throw ProblemException.of(HttpStatus.UNAUTHORIZED, "that is not the token; console.token has it");
        }
        setCookie(request, cookie, "");
    }

    /** Takes the cookie back. */
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

    /** In a time that tells nothing about where they differ. */
    private static boolean same(byte[] one, byte[] other) {
        return MessageDigest.isEqual(one, other);
    }
}
