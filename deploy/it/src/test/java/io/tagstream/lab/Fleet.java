/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * The instances, and who starts them again when they have died.
 *
 * <p><i>Threading notes.</i> A thread of its own restarts dead instances, as a service manager does. All methods may be
 * called by any thread; the lock is this object's.
 */
final class Fleet implements AutoCloseable {
    static final int MOST = 3;

    private static final Duration RESTART_CHECK = Duration.ofMillis(100);

    /** Exit codes of those that were stopped or killed: in order, by {@link HaltPoint}, by SIGKILL. */
    private static final Set<Integer> DEATHS = Set.of(0, HaltPoint.EXIT_CODE, 137);

    private final Path directory;
    private final Map<String, String> configuration;
    private final Thread restarter = new Thread(this::restart, "lab-fleet");

    /** Those that are to run. Guarded by this. */
    private final List<Instance> running = new ArrayList<>();

    /** Those that have been taken out. Guarded by this. */
    private final List<Instance> idle = new ArrayList<>();

    /** What Tagstream itself ended, by instance and time. Guarded by this. */
    private final List<String> surrenders = new ArrayList<>();

    /** Those whose processes are being replaced by somebody. Guarded by this. */
    private final Set<Instance> held = new HashSet<>();

    private volatile boolean closed;

    Fleet(Path directory, Map<String, String> configuration) {
        this.directory = directory;
        this.configuration = configuration;
        restarter.setDaemon(true);
        restarter.start();
    }

    /** Starts one more; one that was taken out before, if there is one. */
    synchronized Instance add() throws IOException {
        Instance instance = idle.isEmpty()
                ? new Instance("instance-" + (running.size() + 1), directory, configuration)
                : idle.remove(idle.size() - 1);
        instance.start(List.of());
        running.add(instance);
        return instance;
    }

    /** Stops one in order, for good or until {@link #add}. */
    void remove(Instance instance) throws InterruptedException {
        synchronized (this) {
            running.remove(instance);
            idle.add(instance);
        }
        instance.stop();
    }

    /** Stops one in order and starts it again. */
    void cycle(Instance instance) throws InterruptedException, IOException {
        synchronized (this) {
            held.add(instance);
        }
        instance.stop();
        synchronized (this) {
            held.remove(instance);
            instance.start(List.of());
        }
    }

    /** Kills one; its next process follows {@code commands} before it starts. */
    ChildProcess killAndStartWith(Instance instance, String... commands) throws InterruptedException, IOException {
        synchronized (this) {
            held.add(instance);
        }
        instance.process().kill();
        synchronized (this) {
            held.remove(instance);
            instance.start(List.of(commands));
            return instance.process();
        }
    }

    /** The instances that are to run. */
    synchronized List<Instance> instances() {
        return List.copyOf(running);
    }

    /** One that tags images; empty if none does in time. */
    Optional<Instance> anyReady(SplittableRandom random, Duration patience) throws InterruptedException {
        Awaiting.that(patience, () -> instances().stream().anyMatch(Instance::isReady));
        List<Instance> ready = instances().stream().filter(Instance::isReady).toList();
        return ready.isEmpty() ? Optional.empty() : Optional.of(ready.get(random.nextInt(ready.size())));
    }

    /** Ends that nobody outside asked for, in words. */
    synchronized List<String> surrenders() {
        return List.copyOf(surrenders);
    }

    private void restart() {
        try {
            while (!closed) {
                restartTheDead();
                Thread.sleep(RESTART_CHECK.toMillis());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot start an instance again", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void restartTheDead() throws IOException {
        for (Instance instance : running) {
            ChildProcess process = instance.process();
            if (!closed && !held.contains(instance) && !process.isAlive()) {
                if (!DEATHS.contains(process.exitCode())) {
                    surrenders.add("%s ended by itself with exit code %d, %s"
                            .formatted(
                                    instance,
                                    process.exitCode(),
                                    process.hasSaid(InstanceMain.READY)
                                            ? "after it was ready"
                                            : "before it was ready"));
                }
                instance.start(List.of());
            }
        }
    }

    /** Stops all of them in order. */
    void stopAll() throws InterruptedException {
        List<Instance> stopping;
        synchronized (this) {
            closed = true;
            stopping = instances();
        }
        for (Instance instance : stopping) {
            instance.stop();
        }
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        restarter.interrupt();
        restarter.join();
        for (Instance instance : instances()) {
            instance.process().close();
        }
    }
}
