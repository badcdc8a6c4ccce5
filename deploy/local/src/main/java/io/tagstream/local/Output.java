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
 * What a person or program sees of local mode: outcomes on one stream, everything else on another.
 *
 * <p><i>Threading notes:</i> used by one thread; the progress bar draws on a thread of its own, and the lock keeps lines
 * and bar apart on a terminal that shows both.
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
     * @param outcomes takes a line an outcome
     * @param notes takes everything else
     * @param terminal whether a person watches {@code notes}
     */
    public Output(PrintStream outcomes, PrintStream notes, OutcomeFormat format, boolean terminal) {
        this.outcomes = outcomes;
        this.notes = notes;
        this.format = format;
        this.terminal = terminal;
        this.console = new LockedConsumer(new ConsoleProgressBarConsumer(notes));
    }

    /** Shows how far the work has come, on a terminal. */
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

    /** One more is done. */
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
     * @throws OperatorException if nobody reads them any more
     */
    void outcome(ImageOutcome outcome) {
        synchronized (screen) {
            clearBar();
            outcomes.println(format.line(outcome));
            outcomes.flush();
        }
        if (outcomes.checkError()) {
            throw OperatorException.failed("standard output was closed before every image had its line");
        }
    }

    /** Tells the person something. */
    void note(String text) {
        synchronized (screen) {
            clearBar();
            notes.println(text);
            notes.flush();
        }
    }

    /** Says what takes so long, to a person who waits at a terminal. */
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
