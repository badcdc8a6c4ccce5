/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.topology.clients.Pace;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ProcessorContext;

/**
 * Asks Kafka Streams to commit as soon as a task has written something that others wait for, instead of leaving it to
 * the commit interval.
 *
 * <p>A commit includes all tasks of its stream thread and costs about the same for one record as for a hundred. So each
 * thread asks twenty times a second at most, on average, and never sooner than 20 ms after it asked before. While the
 * model cannot keep up, its images wait for longer than that anyway, and the thread asks four times a second.
 *
 * <p><i>Threading notes.</i> Each {@link OfTask} is used by its stream thread.
 */
final class PromptCommits {
    private static final double PER_SECOND = 20;
    private static final Duration SPACING = Duration.ofMillis(20);
    private static final Duration SATURATED_SPACING = Duration.ofMillis(250);

    private final LongSupplier nanoTime;
    private final Pace pace;
    private final BooleanSupplier saturated;
    private final ThreadLocal<Allowance> allowances = ThreadLocal.withInitial(Allowance::new);

    /** {@code saturated} says whether the model cannot keep up for the moment. */
    PromptCommits(LongSupplier nanoTime, Pace pace, BooleanSupplier saturated) {
        this.nanoTime = nanoTime;
        this.pace = pace;
        this.saturated = saturated;
    }

    /** What a stream thread may still ask for. */
    private final class Allowance {
        private final RateLimit rate = new RateLimit(PER_SECOND, nanoTime);
        private long askedAt = nanoTime.getAsLong() - SATURATED_SPACING.toNanos();

        boolean allows() {
            long now = nanoTime.getAsLong();
            Duration spacing = saturated.getAsBoolean() ? SATURATED_SPACING : SPACING;
            if (now - askedAt < spacing.toNanos() || rate.take(1) == 0) {
                return false;
            }
            askedAt = now;
            return true;
        }
    }

    /** The requests of one task. */
    OfTask of(ProcessorContext<?, ?> context) {
        return new OfTask(context);
    }

    /** The requests of one task. */
    final class OfTask {
        private final ProcessorContext<?, ?> context;

        /** Asks again; null if nothing is to be asked for. */
        private Cancellable retry;

        private Pace.Work waiting;

        private OfTask(ProcessorContext<?, ?> context) {
            this.context = context;
        }

        /** Others wait for what the task has written: asks for a commit now, or as soon as the thread may. */
        void ask() {
            if (retry != null || asked()) {
                return;
            }
            waiting = pace.begin();
            retry = context.schedule(SPACING, PunctuationType.WALL_CLOCK_TIME, now -> {
                if (asked()) {
                    close();
                }
            });
        }

        private boolean asked() {
            boolean allowed = allowances.get().allows();
            if (allowed) {
                context.commit();
            }
            return allowed;
        }

        void close() {
            if (retry != null) {
                retry.cancel();
                retry = null;
                waiting.end();
            }
        }
    }
}
