/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.Context;
import io.tagstream.console.live.EventHub;
import io.tagstream.console.live.LiveEvent;
import jakarta.servlet.ServletOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Events as they happen, as server-sent events. They are named by their kind, and numbered so that a listener that
 * reconnects can say which one it received last.
 *
 * <p><i>Threading notes.</i> Each listener occupies one of the server's threads; the server limits the number of
 * listeners.
 */
final class EventsApi {
    /**
     * How long to wait for events at a time; also how long the server takes to notice that it must stop. While there
     * are no events, a listener's disconnection is noticed only when the next comment line is sent, after {@link
     * #SILENT_BEATS} waits.
     */
    private static final long HEARTBEAT_MILLIS = 1_000;

    private static final int SILENT_BEATS = 15;

    private final LateServices late;

    EventsApi(LateServices late) {
        this.late = late;
    }

    void register(ApiRoutes routes) {
        routes.get("/api/events", this::events);
    }

    private void events(Context request) throws InterruptedException {
        EventHub hub = late.get().views().events();
        long after = last(request).orElse(hub.latest());
        request.contentType("text/event-stream; charset=utf-8")
                .header("Cache-Control", "no-store")
                .header("X-Accel-Buffering", "no");
        try (EventHub.Listener listener = hub.listen(after)) {
            ServletOutputStream out = request.res().getOutputStream();
            write(out, "retry: 1000\n\n");
            int silent = 0;
            while (listener.isOpen()) {
                List<LiveEvent> events = listener.poll(HEARTBEAT_MILLIS);
                silent = events.isEmpty() ? silent + 1 : 0;
                if (!events.isEmpty()) {
                    StringBuilder text = new StringBuilder();
                    events.forEach(event -> text.append(format(event)));
                    write(out, text.toString());
                } else if (silent % SILENT_BEATS == 0) {
                    write(out, ": here\n\n");
                }
            }
        } catch (IOException e) {
            return; // the listener has disconnected
        }
    }

    private static Optional<Long> last(Context request) {
        try {
            return Optional.ofNullable(request.header("Last-Event-ID")).map(Long::valueOf);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static String format(LiveEvent event) {
        return "id: %d\nevent: %s\ndata: %s\n\n"
                .formatted(event.number(), event.kind().name().toLowerCase(Locale.ROOT), event.json());
    }

    private static void write(ServletOutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
