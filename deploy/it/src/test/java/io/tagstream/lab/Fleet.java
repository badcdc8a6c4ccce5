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
 * The instances; restarts them when they have died.
 *
 * <p><i>Threading notes.</i> A separate thread restarts dead instances, as a service manager does. Any thread may call
 * any method; this object is the lock.
 */
final class Fleet implements AutoCloseable {
    static final int MOST = 3;

    private static final Duration RESTART_CHECK = Duration.ofMillis(100);

    /** Exit codes of instances that were stopped in order, halted at a {@link HaltPoint}, or killed by SIGKILL. */
    private static final Set<Integer> DEATHS = Set.of(0, HaltPoint.EXIT_CODE, 137);

    private final Path directory;
    private final Map<String, String> configuration;
    private final List<String> options;
    private final Thread restarter = new Thread(this::restart, "lab-fleet");

    /** Instances that should be running. Guarded by this. */
    private final List<Instance> running = new ArrayList<>();

    /** Instances that have been removed. Guarded by this. */
    private final List<Instance> idle = new ArrayList<>();

    /** Processes that Tagstream itself ended, with instance and time. Guarded by this. */
    private final List<String> surrenders = new ArrayList<>();

    /** Instances whose processes a caller is replacing. Guarded by this. */
    private final Set<Instance> held = new HashSet<>();

    /** The release of the model that processes start with from now on. Guarded by this. */
    private int release = 1;

    private volatile boolean closed;

    /** {@code options} are those of the instances' JVMs. */
    Fleet(Path directory, Map<String, String> configuration, List<String> options) {
        this.options = List.copyOf(options);
        this.directory = directory;
        this.configuration = configuration;
        restarter.setDaemon(true);
        restarter.start();
    }

    /** Starts another instance; reuses a removed one if there is one. */
    synchronized Instance add() throws IOException {
        Instance instance = idle.isEmpty()
                ? new Instance("instance-" + (running.size() + 1), directory, configuration, options)
                : idle.remove(idle.size() - 1);
        instance.start(release, List.of());
        running.add(instance);
        return instance;
    }

    /** From now on, every process starts with this release of the model. */
    synchronized void release(int next) {
        release = next;
    }

    /** The release that processes start with. */
    synchronized int release() {
        return release;
    }

    /** Stops an instance in order, for good or until {@link #add}. */
    void remove(Instance instance) throws InterruptedException {
        synchronized (this) {
            running.remove(instance);
            idle.add(instance);
        }
        instance.stop();
    }

    /** Stops an instance in order and starts it again. */
    void cycle(Instance instance) throws InterruptedException, IOException {
        cycle(instance, () -> {});
    }

    /** Stops an instance in order, does something to its files, and starts it again. */
    void cycle(Instance instance, Meanwhile meanwhile) throws InterruptedException, IOException {
        synchronized (this) {
            held.add(instance);
        }
        instance.stop();
        meanwhile.run();
        synchronized (this) {
            held.remove(instance);
            instance.start(release, List.of());
        }
    }

    /** What is done while an instance's process does not run. */
    interface Meanwhile {
        void run() throws IOException;
    }

    /** Kills an instance; its next process follows {@code commands} before it starts Tagstream. */
    ChildProcess killAndStartWith(Instance instance, String... commands) throws InterruptedException, IOException {
        synchronized (this) {
            held.add(instance);
        }
        instance.process().kill();
        synchronized (this) {
            held.remove(instance);
            instance.start(release, List.of(commands));
            return instance.process();
        }
    }

    /** The instances that should be running. */
    synchronized List<Instance> instances() {
        return List.copyOf(running);
    }

    /** Whether there are instances and all of them are tagging images. */
    boolean isReady() {
        List<Instance> all = instances();
        return !all.isEmpty() && all.stream().allMatch(Instance::isReady);
    }

    /** An instance that is tagging images; empty if none is in time. */
    Optional<Instance> anyReady(SplittableRandom random, Duration patience) throws InterruptedException {
        Awaiting.that(patience, () -> instances().stream().anyMatch(Instance::isReady));
        List<Instance> ready = instances().stream().filter(Instance::isReady).toList();
        return ready.isEmpty() ? Optional.empty() : Optional.of(ready.get(random.nextInt(ready.size())));
    }

    /** Descriptions of the ends that nobody outside asked for. */
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
                    surrenders.add("%s ended without being asked, with exit code %d, %s"
                            .formatted(
                                    instance,
                                    process.exitCode(),
                                    process.hasSaid(InstanceMain.READY)
                                            ? "after it was ready"
                                            : "before it was ready"));
                }
                instance.start(release, List.of());
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
