/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.ImageException;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.Sandbox;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * One child process.
 *
 * <p><i>Threading notes.</i> One thread at a time; {@link #kill} from any.
 */
final class DecoderProcess {
    private static final int SIGNALLED = 128;
    private static final long END_SECONDS = 2;
    private static final long KILL_SECONDS = 10;

    private final Process process;
    private final Conversation conversation;
    private final ErrorTail errors;
    private volatile boolean late;

    /** A process that has just been started. */
    DecoderProcess(Process process) {
        this.process = process;
        this.conversation = new Conversation(process.getInputStream(), process.getOutputStream());
        this.errors = new ErrorTail(process.getErrorStream(), "tagstream-decoder-errors-" + process.pid());
    }

    /** The process ended, or it made no sense and was ended. */
    static final class EndedException extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean late;

        EndedException(String how, boolean late, Throwable cause) {
            super(how, cause);
            this.late = late;
        }

        /** Whether it was ended because it took too long. */
        boolean late() {
            return late;
        }
    }

    private interface Exchange<T> {
        T run() throws IOException, ImageException;
    }

    /** Waits until the process can decode. */
    Sandbox awaitReady(Duration patience, ScheduledExecutorService alarms)
            throws EndedException, InterruptedException, ImageException {
        return within(patience, alarms, conversation::awaitReady);
    }

    ImageSize decode(byte[] encoded, ByteBuffer target, Duration patience, ScheduledExecutorService alarms)
            throws EndedException, InterruptedException, ImageException {
        return within(patience, alarms, () -> {
            conversation.send(encoded);
            return conversation.awaitAnswer(target);
        });
    }

    private <T> T within(Duration patience, ScheduledExecutorService alarms, Exchange<T> exchange)
            throws EndedException, InterruptedException, ImageException {
        ScheduledFuture<?> alarm = alarm(patience, alarms);
        try {
            return exchange.run();
        } catch (IOException e) {
            throw ended(e);
        } finally {
            alarm.cancel(false);
        }
    }

    private ScheduledFuture<?> alarm(Duration patience, ScheduledExecutorService alarms) throws EndedException {
        try {
            return alarms.schedule(
                    () -> {
                        late = true;
                        kill();
                    },
                    patience.toNanos(),
                    TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            throw new EndedException("the runtime is closed", false, e);
        }
    }

    private EndedException ended(IOException e) throws InterruptedException {
        // also after nonsense: when Java crashes, it first prints a message
        boolean itself = process.waitFor(END_SECONDS, TimeUnit.SECONDS);
        kill();
        if (!process.waitFor(KILL_SECONDS, TimeUnit.SECONDS)) {
            return new EndedException("it cannot be stopped", late, e);
        }
        String how = itself ? exit() : String.valueOf(e.getMessage());
        return new EndedException(how + errors.ofEnded(), late, e);
    }

    private String exit() {
        int code = process.exitValue();
        return code > SIGNALLED ? "signal " + (code - SIGNALLED) : "exit code " + code;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    /** Ends the process at once; it has nothing to lose. */
    void kill() {
        process.destroyForcibly();
    }
}
