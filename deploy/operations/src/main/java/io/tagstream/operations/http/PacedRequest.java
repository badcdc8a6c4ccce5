/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import io.javalin.http.HttpStatus;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * A request whose body must be small enough and arrive fast enough; otherwise, reading it fails with an
 * {@link UnfitBodyException}. The clock runs from the first read.
 *
 * <p><i>Threading notes.</i> One thread at a time reads it, as with every request; the scheduler's thread ends a wait
 * that is too long.
 */
final class PacedRequest extends Request.Wrapper {
    private final long largest;
    private final Pace pace;
    private final Refusals refusals;
    private long begunNanos;
    private boolean begun;
    private long bytes;
    private Content.Chunk failure;

    PacedRequest(Request request, long largest, Pace pace, Refusals refusals) {
        super(request);
        this.largest = largest;
        this.pace = pace;
        this.refusals = refusals;
    }

    @Override
    public Content.Chunk read() {
        if (failure != null) {
            return failure;
        }
        begin();
        Content.Chunk chunk = super.read();
        if (chunk == null) {
            return null;
        }
        if (Content.Chunk.isFailure(chunk)) {
            boolean waitedTooLong = chunk.getFailure() instanceof TimeoutException;
            return waitedTooLong ? fail(Refusals.Reason.LATE) : chunk;
        }
        bytes += chunk.remaining();
        if (bytes > largest) {
            chunk.release();
            return fail(Refusals.Reason.LARGE);
        }
        return chunk;
    }

    @Override
    public void demand(Runnable more) {
        begin();
        Duration left = pace.allowed(bytes).minusNanos(System.nanoTime() - begunNanos);
        Scheduler.Task deadline = getComponents()
                .getScheduler()
                .schedule(
                        () -> getWrapped().fail(new TimeoutException("The body is late")),
                        Math.max(0, left.toNanos()),
                        TimeUnit.NANOSECONDS);
        super.demand(new Invocable.ReadyTask(Invocable.getInvocationType(more), () -> {
            deadline.cancel();
            more.run();
        }));
    }

    private void begin() {
        if (!begun) {
            begun = true;
            begunNanos = System.nanoTime();
        }
    }

    private Content.Chunk fail(Refusals.Reason reason) {
        refusals.count(reason);
        UnfitBodyException unfit = reason == Refusals.Reason.LARGE ? tooLarge(largest) : late();
        failure = Content.Chunk.from(unfit);
        return failure;
    }

    static UnfitBodyException tooLarge(long largest) {
        return new UnfitBodyException(
                HttpStatus.CONTENT_TOO_LARGE.getCode(),
                "the body is larger than the %,d bytes that are allowed here; send less".formatted(largest));
    }

    private UnfitBodyException late() {
        return new UnfitBodyException(
                HttpStatus.REQUEST_TIMEOUT.getCode(),
                "only %,d bytes of the body arrived in %d s; begin within %d s and send at least %,d bytes per second"
                        .formatted(
                                bytes,
                                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begunNanos),
                                pace.grace().toSeconds(),
                                pace.leastRate()));
    }
}
