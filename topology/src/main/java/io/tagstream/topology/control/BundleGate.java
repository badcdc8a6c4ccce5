/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.topology.waits.Wait;
import io.tagstream.topology.waits.WaitReason;
import io.tagstream.topology.waits.Waits;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets an instance take partitions only while its bundle is the one in force. So in a rolling change no partition goes
 * to and fro between two bundles, each of which would read its images again.
 *
 * <p><i>Threading notes.</i> Looks on a thread of its own, which {@link #close} ends; the first time, on the thread that
 * calls {@link #start}.
 */
public final class BundleGate implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(BundleGate.class);
    private static final Duration CHECK = Duration.ofMillis(200);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(20);

    /** What is behind the gate. Both methods are called again while they have nothing left to do. */
    public interface Partitions {
        /** Takes partitions. {@code revision} is the control record's that says so. */
        void take(long revision);

        /** Gives all partitions back. */
        void giveBack();
    }

    private final BundleRelease own;
    private final Supplier<ClusterControl> inForce;
    private final Waits waits;
    private final Partitions partitions;
    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "tagstream-bundle-gate");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * A gate that is shut.
     *
     * @param own the bundle of this instance
     * @param inForce gives the newest control record
     * @param waits is told that the instance waits
     */
    public BundleGate(BundleRelease own, Supplier<ClusterControl> inForce, Waits waits, Partitions partitions) {
        this.own = own;
        this.inForce = inForce;
        this.waits = waits;
        this.partitions = partitions;
    }

    /** Why an instance with one bundle must wait while another is in force; empty if they are the same. */
    public static Optional<Wait> refusal(BundleRelease own, BundleRelease inForce) {
        return own.equals(inForce)
                ? Optional.empty()
                : Optional.of(new Wait(
                        WaitReason.OTHER_MODEL,
                        "bundle %s is in force; this instance has bundle %s"
                                .formatted(Controls.named(inForce), Controls.named(own))));
    }

    /** Takes partitions, if the bundle is in force, and goes on looking whether it is. */
    public void start() {
        look();
        long interval = CHECK.toMillis();
        var unused = looks.scheduleWithFixedDelay(
                () -> {
                    try {
                        look();
                    } catch (RuntimeException e) {
                        log.error("Partitions cannot be taken or given back; trying again", e);
                    }
                },
                interval,
                interval,
                TimeUnit.MILLISECONDS);
    }

    private void look() {
        ClusterControl control = inForce.get();
        Optional<Wait> wait = refusal(own, control.getBundle());
        if (wait.isPresent()) {
            waits.beginAll(wait.get());
            partitions.giveBack();
        } else {
            waits.endAll();
            partitions.take(control.getRevision());
        }
    }

    @Override
    public void close() {
        looks.shutdown();
        try {
            if (!looks.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                log.warn("Partitions are still being taken or given back after {} s", CLOSE_TIMEOUT.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
