/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import io.tagstream.cli.OutcomeFormat;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.outcomes.ImageOutcome;
import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * What a user or program sees of local mode: outcomes on one stream, everything else on another.
 *
 * <p><i>Threading notes:</i> used by one thread. The progress bar draws on its own thread; the lock keeps lines and the
 * bar apart on a terminal that shows both.
 */
public final class Output implements AutoCloseable {
    private static final int REDRAW_MILLIS = 200;

    private final Object screen = new Object();
    private final PrintStream outcomes;
    private final PrintStream notes;
    private final OutcomeFormat format;
    private final boolean terminal;
    private final ProgressBarConsumer console;
    private ProgressBar bar;

    /**
     * @param outcomes receives one line per outcome
     * @param notes receives everything else
     * @param terminal whether {@code notes} is a terminal
     */
    public Output(PrintStream outcomes, PrintStream notes, OutcomeFormat format, boolean terminal) {
        this.outcomes = outcomes;
        this.notes = notes;
        this.format = format;
        this.terminal = terminal;
        this.console = new LockedConsumer(new ConsoleProgressBarConsumer(notes));
    }

    /** Shows a progress bar, on a terminal. */
    void startProgress(String task, long total) {
        endProgress();
        if (terminal && total > 0) {
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setInitialMax(total)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(REDRAW_MILLIS)
                    .setConsumer(console)
                    .clearDisplayOnFinish()
                    .build();
        }
    }

    /** Advances the progress bar by one. */
    void step() {
        if (bar != null) {
            bar.step();
        }
    }

    void endProgress() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    /**
     * Writes an outcome's line.
     *
     * @throws OperatorException if nothing reads the outcomes any more
     */
    void outcome(ImageOutcome outcome) {
        synchronized (screen) {
            clearBar();
            outcomes.println(format.line(outcome));
            outcomes.flush();
        }
        if (outcomes.checkError()) {
            throw OperatorException.failed("standard output was closed before every outcome was written");
        }
    }

    /** Writes a note for the user. */
    void note(String text) {
        synchronized (screen) {
            clearBar();
            notes.println(text);
            notes.flush();
        }
    }

    /** Tells a user who waits at a terminal what takes so long. */
    void status(String text) {
        if (terminal) {
            note(text);
        }
    }

    private void clearBar() {
        if (bar != null) {
            console.clear();
        }
    }

    @Override
    public void close() {
        endProgress();
    }

    private final class LockedConsumer implements ProgressBarConsumer {
        private final ProgressBarConsumer target;

        LockedConsumer(ProgressBarConsumer target) {
            this.target = target;
        }

        @Override
        public int getMaxRenderedLength() {
            return target.getMaxRenderedLength();
        }

        @Override
        public void accept(String drawing) {
            synchronized (screen) {
                target.accept(drawing);
            }
        }

        @Override
        public void clear() {
            synchronized (screen) {
                target.clear();
            }
        }

        @Override
        public void close() {
            target.close();
        }
    }
}
