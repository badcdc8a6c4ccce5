/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import io.javalin.http.HttpStatus;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers, counts and logs refusals. The metric counts each one; the log gets at most one line a minute, with the
 * counts since the last.
 *
 * <p><i>Threading notes.</i> Any number of threads may use it.
 */
final class Refusals {
    private static final Logger log = LoggerFactory.getLogger(Refusals.class);
    private static final long LOG_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int RETRY_SECONDS = 5;

    private final MeterRegistry metrics;
    /** Counts by reason since the last log line; guarded by this. */
    private final Map<String, Integer> untold = new TreeMap<>();

    private long toldNanos = System.nanoTime() - LOG_NANOS;

    /** The reason for a refusal. */
    enum Reason {
        BUSY,
        LATE,
        LARGE,
        UNREAD,
        IDLE,
        CROWDED;

        private String tag() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    Refusals(MeterRegistry metrics) {
        this.metrics = metrics;
        for (Reason reason : Reason.values()) {
            HttpMetric.REFUSED.counter(metrics, reason.tag()); // so it exists from the beginning, at 0
        }
    }

    void busy(Response response, Callback callback, String detail) {
        count(Reason.BUSY);
        response.getHeaders().put(HttpHeader.RETRY_AFTER, RETRY_SECONDS);
        answer(response, callback, HttpStatus.SERVICE_UNAVAILABLE, detail);
    }

    void unfit(Response response, Callback callback, UnfitBodyException unfit) {
        answer(response, callback, HttpStatus.forStatus(unfit.getCode()), unfit.getReason());
    }

    /** Also closes the connection: anything else that arrives on it is the rest of a request that nobody reads. */
    private static void answer(Response response, Callback callback, HttpStatus status, String detail) {
        response.setStatus(status.getCode());
        response.getHeaders()
                .put(HttpHeader.CONTENT_TYPE, Problem.MEDIA_TYPE)
                .put(HttpHeader.CACHE_CONTROL, "no-store")
                .put("X-Content-Type-Options", "nosniff")
                .put(HttpHeader.CONNECTION, "close");
        response.write(true, ByteBuffer.wrap(Problem.of(status, detail).json()), callback);
    }

    void count(Reason reason) {
        HttpMetric.REFUSED.counter(metrics, reason.tag()).increment();
        log(reason);
    }

    private synchronized void log(Reason reason) {
        untold.merge(reason.tag(), 1, Integer::sum);
        long now = System.nanoTime();
        if (now - toldNanos < LOG_NANOS) {
            return;
        }
        toldNanos = now;
        log.warn("Refused clients that took too much of the HTTP server: {}. Logged at most once a minute", untold);
        untold.clear();
    }
}
