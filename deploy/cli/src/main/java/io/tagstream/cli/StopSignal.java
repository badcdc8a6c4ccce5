/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jline.utils.Signals;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns SIGTERM, SIGHUP and Ctrl-C into an orderly end: the command is told and closes what it owns, and only then does
 * the virtual machine end. A second signal ends the process at once.
 *
 * <p>A shutdown hook cannot do that. Hooks run concurrently, and ONNX Runtime's hook frees its native environment under
 * a model that is still at work (microsoft/onnxruntime#31352). Nor can Kafka be started once hooks run.
 *
 * <p><i>Threading notes:</i> the command's thread opens and closes this; signals arrive on a thread of the virtual
 * machine.
 */
public final class StopSignal implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(StopSignal.class);
    private static final long PATIENCE_SECONDS = 30;
    /** The handler of a signal that the parent process had ignored, as nohup ignores SIGHUP. */
    private static final String NATIVE_HANDLER = "sun.misc.NativeSignalHandler";

    private final CompletableFuture<Kind> requested = new CompletableFuture<>();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final Map<Kind, Object> previousHandlers = new EnumMap<>(Kind.class);

    private enum Kind {
        TERM(15),
        INT(2),
        HUP(1);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        int exitCode() {
            return ExitCode.SIGNAL + number;
        }
    }

    /** Starts to listen for signals. */
    public StopSignal() {
        for (Kind kind : Kind.values()) {
            Object previous = Signals.register(kind.name(), () -> stop(kind));
            if (previous == null) {
                log.debug("SIG{} cannot be handled here; it ends the process at once", kind);
            } else if (previous.getClass().getName().equals(NATIVE_HANDLER)) {
                Signals.unregister(kind.name(), previous);
            } else {
                previousHandlers.put(kind, previous);
            }
        }
    }

    /** Completes when the process is asked to end. */
    public CompletableFuture<Void> requested() {
        return requested.thenAccept(kind -> {});
    }

    public boolean isRequested() {
        return requested.isDone();
    }

    /** Returns the exit code of a command that has done its work, or was asked to end first. */
    public int exitCode() {
        return isRequested() ? requested.join().exitCode() : ExitCode.DONE;
    }

    private void stop(Kind kind) {
        previousHandlers.keySet().forEach(every -> Signals.registerDefault(every.name()));
        var unused = closed.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).exceptionally(late -> {
            log.warn("Still closing after {} s; ending the process anyway", PATIENCE_SECONDS);
            Runtime.getRuntime().halt(kind.exitCode());
            return null;
        });
        requested.complete(kind);
    }

    /** Says that the command has closed what it owns. */
    @Override
    public void close() {
        closed.complete(null);
        if (!isRequested()) {
            previousHandlers.forEach((kind, handler) -> Signals.unregister(kind.name(), handler));
        }
    }
}
