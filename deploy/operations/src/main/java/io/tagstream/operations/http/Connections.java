/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes connections that have had no request for too long, even if bytes trickle in. If there are too many
 * connections, it closes those that have had no request for the longest time. It leaves a connection with a request
 * alone.
 *
 * <p><i>Threading notes.</i> Connections open and close on any thread; the scheduler's thread checks all of them, one
 * check at a time.
 */
final class Connections extends AbstractLifeCycle implements Connection.Listener {
    private static final int LOOKS = 4;

    private final Duration idle;
    private final int most;
    private final Refusals refusals;
    private final Scheduler scheduler;
    private final Map<Connection, Use> open = new ConcurrentHashMap<>();
    private volatile Scheduler.Task next;

    /** How a connection is used. */
    private static final class Use {
        private final AtomicInteger requests = new AtomicInteger();
        private volatile long idleSince = System.nanoTime();

        boolean isIdle() {
            return requests.get() == 0;
        }

        void begin() {
            requests.incrementAndGet();
        }

        void end() {
            idleSince = System.nanoTime();
            requests.decrementAndGet();
        }
    }

    Connections(ClientLimits limits, Refusals refusals, Scheduler scheduler) {
        this.idle = limits.connections().idle();
        this.most = limits.connections().most();
        this.refusals = refusals;
        this.scheduler = scheduler;
    }

    @Override
    protected void doStart() {
        lookLater();
    }

    @Override
    protected void doStop() {
        next.cancel();
    }

    @Override
    public void onOpened(Connection connection) {
        open.put(connection, new Use());
        boolean closes = true;
        while (closes && open.size() > most) { // another thread may have closed the one that this thread chose
            closes = closeLongestIdle(connection);
        }
    }

    /** Closes the connection that has had no request for the longest time; false if there is none but {@code spared}. */
    private boolean closeLongestIdle(Connection spared) {
        long now = System.nanoTime();
        Optional<Connection> longest = open.entrySet().stream()
                .filter(other -> other.getValue().isIdle() && other.getKey() != spared)
                .max(Comparator.comparingLong(other -> now - other.getValue().idleSince))
                .map(Map.Entry::getKey);
        longest.ifPresent(connection -> close(connection, Refusals.Reason.CROWDED));
        return longest.isPresent();
    }

    @Override
    public void onClosed(Connection connection) {
        open.remove(connection);
    }

    private void lookLater() {
        next = scheduler.schedule(this::look, idle.toNanos() / LOOKS, TimeUnit.NANOSECONDS);
    }

    private void look() {
        long now = System.nanoTime();
        open.forEach((connection, use) -> {
            if (use.isIdle() && now - use.idleSince > idle.toNanos()) {
                close(connection, Refusals.Reason.IDLE);
            }
        });
        if (isRunning()) {
            lookLater();
        }
    }

    private void close(Connection connection, Refusals.Reason reason) {
        if (open.remove(connection) != null) {
            refusals.count(reason);
            connection.getEndPoint().close(new TimeoutException("The connection has had no request for too long"));
        }
    }

    /** Returns a handler that notes when a connection has a request. */
    Handler.Wrapper watch() {
        return new Handler.Wrapper() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) throws Exception {
                Use use = open.get(request.getConnectionMetaData().getConnection());
                if (use != null) {
                    use.begin();
                    Request.addCompletionListener(request, failure -> use.end());
                }
                return super.handle(request, response, callback);
            }
        };
    }
}
