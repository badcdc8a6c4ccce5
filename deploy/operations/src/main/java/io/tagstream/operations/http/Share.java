/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.server.Request;

/**
 * Kinds of requests, each with threads of its own: what fills one leaves the others alone. Whatever is of no kind, health
 * above all, is quick and has threads that no kind can take.
 */
enum Share {
    /** A listener keeps its thread for as long as it listens, so nobody waits for another's. */
    EVENTS(64, 0),
    UPLOADS(8, 32),
    METRICS(8, 32),
    API(64, 128),
    /** The console's files, and paths that there are not. */
    PAGES(32, 128);

    /** For what is of no share, and for the server itself: it accepts, selects and reads bodies with these. */
    private static final int THREADS_OF_NO_SHARE = 64;

    private static final String API_ROOT = "/api/";
    private static final String HEALTH_ROOT = "/health/";
    private static final String MULTIPART = "multipart/form-data";

    private final int atATime;
    private final int waiting;

    Share(int atATime, int waiting) {
        this.atATime = atATime;
        this.waiting = waiting;
    }

    /** How many requests are worked on at a time. */
    int atATime() {
        return atATime;
    }

    /** How many more may wait for their turn. */
    int waiting() {
        return waiting;
    }

    /** How many threads a server needs so that no share can take those of another. */
    static int threads() {
        return THREADS_OF_NO_SHARE
                + Arrays.stream(values()).mapToInt(Share::atATime).sum();
    }

    /** Which share a request has; empty for what is never held. */
    static Optional<Share> of(Request request) {
        String path = Request.getPathInContext(request);
        if (path.startsWith(HEALTH_ROOT)) {
            return Optional.empty();
        }
        if (path.equals("/metrics")) {
            return Optional.of(METRICS);
        }
        if (!path.startsWith(API_ROOT)) {
            return Optional.of(PAGES);
        }
        if (path.equals("/api/events")) {
            return Optional.of(EVENTS);
        }
        return Optional.of(isUpload(request, path) ? UPLOADS : API);
    }

    private static boolean isUpload(Request request, String path) {
        String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
        return HttpMethod.POST.is(request.getMethod())
                && path.equals("/api/images")
                && type != null
                && type.toLowerCase(Locale.ROOT).startsWith(MULTIPART);
    }

    /** As people are told of it. */
    String title() {
        return name().toLowerCase(Locale.ROOT);
    }
}
