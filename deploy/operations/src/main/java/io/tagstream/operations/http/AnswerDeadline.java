/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes the connection of a client that takes its answer too slowly. Only the time that the server waits to send
 * counts: an answer may take long to work out, and there may be long gaps between events.
 */
final class AnswerDeadline extends Handler.Wrapper {
    /** A write that takes no longer than this does not count as a wait, however many there are. */
    private static final long PROMPT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Pace pace;
    private final Refusals refusals;

    AnswerDeadline(Pace pace, Refusals refusals) {
        this.pace = pace;
        this.refusals = refusals;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        return super.handle(request, new TimedResponse(request, response), callback);
    }

    private final class TimedResponse extends Response.Wrapper {
        private final Scheduler scheduler;
        /** Changed by one write after another, each on any thread. */
        private volatile long bytes;

        private volatile long waitedNanos;

        TimedResponse(Request request, Response response) {
            super(request, response);
            this.scheduler = request.getComponents().getScheduler();
        }

        @Override
        public void write(boolean last, ByteBuffer content, Callback callback) {
            long begunNanos = System.nanoTime();
            long waitedBefore = waitedNanos;
            long sent = bytes + (content == null ? 0 : content.remaining());
            Duration left = pace.allowed(sent).minusNanos(waitedBefore);
            AtomicBoolean done = new AtomicBoolean();
            Scheduler.Task deadline = scheduler.schedule(
                    () -> {
                        if (done.compareAndSet(false, true)) {
                            giveUp();
                        }
                    },
                    Math.max(0, left.toNanos()),
                    TimeUnit.NANOSECONDS);
            bytes = sent;
            super.write(last, content, new Callback.Nested(callback) {
                @Override
                public void succeeded() {
                    settle();
                    super.succeeded();
                }

                @Override
                public void failed(Throwable failure) {
                    settle();
                    super.failed(failure);
                }

                /** Runs before the code that waits for this write starts the next one. */
                private void settle() {
                    done.set(true);
                    deadline.cancel();
                    long took = System.nanoTime() - begunNanos;
                    waitedNanos = waitedBefore + (took > PROMPT_NANOS ? took : 0);
                }
            });
        }

        private void giveUp() {
            refusals.count(Refusals.Reason.UNREAD);
            getRequest()
                    .getConnectionMetaData()
                    .getConnection()
                    .getEndPoint()
                    .close(new TimeoutException("The client did not read its answer in time"));
        }
    }
}
