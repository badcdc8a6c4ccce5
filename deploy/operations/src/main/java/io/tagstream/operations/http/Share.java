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
 * The kinds of requests, each with its own threads, so filling one does not affect the others. Requests of no kind,
 * above all health, are quick and have threads that no kind can take.
 */
enum Share {
    /** A listener keeps its thread for as long as it listens, so there is no point in waiting for one. */
    EVENTS(64, 0),
    UPLOADS(8, 32),
    METRICS(8, 32),
    API(64, 128),
    /** The console's files, and paths that do not exist. */
    PAGES(32, 128);

    /**
     * For requests of no share, and for the server itself, which uses these threads to accept, select and read bodies.
     */
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

    /** Returns the share of a request; empty if it never has to wait. */
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

    /** The name to show to people. */
    String title() {
        return name().toLowerCase(Locale.ROOT);
    }
}
