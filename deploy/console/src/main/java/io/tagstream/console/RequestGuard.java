/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpStatus;
import io.tagstream.console.api.ProblemException;
import io.tagstream.topology.config.TagstreamConfig;
import java.net.URI;
import java.util.Optional;
import java.util.Set;

/**
 * Lets in requests from the console's own page and from programs, and keeps out what other pages in the same browser
 * could send. It refuses:
 *
 * <ul>
 *   <li>Requests for a name that is not this machine's, while the server listens on loopback only: a page may have made
 *       its own name resolve to the loopback address (DNS rebinding).
 *   <li>Writes without {@value #WRITE_HEADER}, which no page can send to another site without permission; and writes
 *       that the browser marks as coming from another site ({@code Origin}, {@code Sec-Fetch-Site}).
 *   <li>API requests without the token, if one is set.
 * </ul>
 */
final class RequestGuard {
    /** Every write must carry this header, with any value. */
    static final String WRITE_HEADER = "X-Tagstream";

    private static final Set<HandlerType> READING = Set.of(HandlerType.GET, HandlerType.HEAD, HandlerType.OPTIONS);
    private static final Set<String> SAME = Set.of("same-origin", "none");
    private static final String API = "/api/";
    private static final Set<String> OPERATIONS =
            Set.of("/metrics", "/health/live", "/health/ready", "/health/tagging", "/health/copies");
    /** Open without the token: these tell how to present it, and reveal nothing about images or labels. */
    private static final Set<String> OPEN = Set.of("/api/session", "/api/openapi.yaml");

    private final boolean loopbackOnly;
    private final Set<String> hosts;
    private final Optional<TokenSession> token;

    RequestGuard(TagstreamConfig config, Optional<TokenSession> token) {
        this.loopbackOnly = Hosts.isLoopback(config.getString(TagstreamConfig.HTTP_HOST));
        this.hosts = Hosts.lowerCase(config.getList(ConsoleKeys.CONSOLE_HOSTS));
        this.token = token;
    }

    void register(RoutesConfig routes) {
        routes.before(this::check);
    }

    private void check(Context request) {
        if (OPERATIONS.contains(request.path())) {
            return; // unguarded, with or without the console: probes and scrapers may use any host name
        }
        SecurityHeaders.set(request);
        checkHost(request);
        if (!READING.contains(request.method())) {
            checkWrite(request);
        }
        boolean guarded = request.path().startsWith(API) && !OPEN.contains(request.path());
        if (guarded && token.isPresent() && !token.get().isShownBy(request)) {
            throw ProblemException.of(
                    HttpStatus.UNAUTHORIZED,
                    "a token is required; send console.token as Authorization: Bearer, or enter it in the console");
        }
    }

    private void checkHost(Context request) {
        String host = Hosts.name(Optional.ofNullable(request.header("Host")).orElse(""));
        if (loopbackOnly && !Hosts.isLoopback(host) && !hosts.contains(host)) {
            throw ProblemException.of(
                    HttpStatus.MISDIRECTED_REQUEST,
                    "the host \"%s\" is not this machine; add it to console.hosts to allow it".formatted(host));
        }
    }

    private static void checkWrite(Context request) {
        String site = request.header("Sec-Fetch-Site");
        String origin = request.header("Origin");
        boolean otherSite = site != null && !SAME.contains(site);
        boolean otherOrigin = origin != null && !isOf(origin, request.header("Host"));
        if (otherSite || otherOrigin) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "the request comes from another page (origin %s)".formatted(origin == null ? site : origin));
        }
        if (request.header(WRITE_HEADER) == null) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "the header %s is missing; send it, with any value, in every request that is not read-only"
                            .formatted(WRITE_HEADER));
        }
    }

    private static boolean isOf(String origin, String host) {
        try {
            return host != null && host.equalsIgnoreCase(URI.create(origin).getRawAuthority());
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
