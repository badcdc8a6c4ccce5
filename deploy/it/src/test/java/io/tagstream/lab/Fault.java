/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.it.Damage;
import io.tagstream.topology.waits.WaitReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A fault that can be injected into a {@link Scene}. {@link #inject} returns when the fault has happened or its spell
 * has begun, and says whether it did: an instance that has nothing to do may not reach a halt point.
 *
 * <p><i>Threading notes.</i> Each lane has its own thread, which injects its faults.
 */
enum Fault {
    /** {@code kill -9} of an instance at any moment, including during its start. */
    INSTANCE_KILLED(Lane.INSTANCES, 5, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            scene.anyInstance().process().kill();
            return true;
        }
    },
    KILLED_BEFORE_FORWARD(Lane.INSTANCES, 2, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return halt(scene, HaltPoint.BEFORE_FORWARD, 30);
        }
    },
    KILLED_AFTER_FORWARD(Lane.INSTANCES, 2, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return halt(scene, HaltPoint.AFTER_FORWARD, 30);
        }
    },
    KILLED_BEFORE_OFFSETS(Lane.INSTANCES, 2, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return halt(scene, HaltPoint.BEFORE_OFFSETS, 8);
        }
    },
    KILLED_BEFORE_COMMIT(Lane.INSTANCES, 2, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return halt(scene, HaltPoint.BEFORE_COMMIT, 8);
        }
    },
    KILLED_DURING_COMMIT(Lane.INSTANCES, 4, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return halt(scene, HaltPoint.DURING_COMMIT, 8);
        }
    },
    KILLED_AFTER_COMMIT(Lane.INSTANCES, 2, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return halt(scene, HaltPoint.AFTER_COMMIT, 8);
        }
    },
    /** Killed, and killed again while its state is being restored. */
    KILLED_IN_RESTORE(Lane.INSTANCES, 3, Kind.DEATH, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return haltNext(scene, HaltPoint.IN_RESTORE);
        }
    },
    /** Killed, and killed again once partitions are assigned to it. */
    KILLED_IN_ASSIGNMENT(Lane.INSTANCES, 3, Kind.DEATH, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return haltNext(scene, HaltPoint.IN_ASSIGNMENT);
        }
    },
    /** Killed during an orderly shutdown, as it gives up its partitions. */
    KILLED_IN_REVOCATION(Lane.INSTANCES, 3, Kind.DEATH, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            Optional<Instance> instance = scene.anyReady();
            if (instance.isEmpty()) {
                return false;
            }
            ChildProcess process = instance.get().process();
            process.command(command(HaltPoint.IN_REVOCATION, 1), PATIENCE);
            process.command(InstanceMain.STOP, PATIENCE);
            return process.awaitEnd(PATIENCE) && isHalted(process);
        }
    },
    /** Frozen for longer than the session timeout: its partitions go to others, and then it comes back. */
    INSTANCE_FROZEN(Lane.INSTANCES, 2, Kind.DEATH, 20) {
        @Override
        boolean inject(Scene scene) throws Exception {
            Optional<Instance> instance = scene.anyReady();
            if (instance.isPresent()) {
                ChildProcess process = instance.get().process();
                process.freeze();
                scene.pass(Duration.ofSeconds(12), Duration.ofSeconds(14));
                process.thaw();
            }
            return instance.isPresent();
        }
    },
    BROKER_KILLED(Lane.SURROUNDINGS, 6, Kind.BROKER, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            scene.broker().restart(scene.between(Duration.ZERO, Duration.ofSeconds(2)));
            return true;
        }
    },
    /** Frozen for longer than the transaction timeout of 10 s. */
    BROKER_FROZEN(Lane.SURROUNDINGS, 3, Kind.BROKER, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            scene.broker().freeze();
            scene.pass(Duration.ofMillis(10_500), Duration.ofSeconds(14));
            scene.broker().thaw();
            return true;
        }
    },
    /** A commit times out. */
    COMMIT_TIMED_OUT(Lane.INSTANCES, 3, Kind.TIMEOUT, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return timeOut(scene.anyInstance().process(), InstanceMain.COMMIT_TIMES_OUT);
        }
    },
    /** The broker does not accept the offsets of a transaction with outcomes in time. */
    OFFSETS_TIMED_OUT(Lane.INSTANCES, 3, Kind.TIMEOUT, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return timeOut(scene.anyInstance().process(), InstanceMain.OFFSETS_TIME_OUT);
        }
    },
    /** An outcome was not delivered in time. */
    DELIVERY_TIMED_OUT(Lane.INSTANCES, 3, Kind.TIMEOUT, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return timeOut(scene.anyInstance().process(), InstanceMain.SEND_TIMES_OUT);
        }
    },
    /** A second process is started over the state directory of an instance that runs: it must give up by itself. */
    DIRECTORY_SHARED(Lane.INSTANCES, 1, Kind.NONE, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            Optional<Instance> instance = scene.anyReady();
            if (instance.isEmpty()) {
                return false;
            }
            try (ChildProcess second = instance.get().startSecond()) {
                if (!second.awaitEnd(LONGEST_START) || second.exitCode() == 0) {
                    throw new IllegalStateException(
                            "A second process runs over the state directory of " + instance.get());
                }
            }
            return true;
        }
    },
    /** Tasks move to an instance whose vocabulary is older than the one they have used. */
    VOCABULARY_LAGS(Lane.INSTANCES, 3, Kind.VOCABULARY, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            Optional<Instance> behind = scene.anyReady();
            List<Instance> others = scene.fleet().instances().stream()
                    .filter(instance -> behind.isPresent() && instance != behind.get())
                    .toList();
            if (others.isEmpty()) {
                return false;
            }
            ChildProcess lagging = behind.get().process();
            lagging.command(InstanceMain.VOCABULARY_LAGS + " true", PATIENCE);
            scene.load().editLabel();
            scene.pass(Duration.ofSeconds(1), Duration.ofSeconds(2));
            for (Instance other : others) {
                scene.fleet().remove(other);
            }
            scene.pass(Duration.ofSeconds(2), Duration.ofSeconds(3));
            lagging.command(InstanceMain.VOCABULARY_LAGS + " false", PATIENCE);
            for (int i = 0; i < others.size(); i++) {
                scene.fleet().add();
            }
            return true;
        }
    },
    /** The registry goes down; instances that start meanwhile know none of its schemas. */
    REGISTRY_DOWN(Lane.SURROUNDINGS, 5, Kind.REGISTRY, 25) {
        @Override
        boolean inject(Scene scene) throws Exception {
            scene.broker().registry(false);
            scene.spells()
                    .endAfter(
                            scene.between(Duration.ofSeconds(3), Duration.ofSeconds(8)),
                            () -> scene.broker().registry(true));
            return true;
        }
    },
    REGISTRY_SLOW(Lane.SURROUNDINGS, 2, Kind.REGISTRY, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return mood(scene, RegistryProxy.Mood.SLOW);
        }
    },
    REGISTRY_WRONG(Lane.SURROUNDINGS, 2, Kind.REGISTRY, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return mood(scene, RegistryProxy.Mood.WRONG);
        }
    },
    REGISTRY_NONSENSE(Lane.SURROUNDINGS, 2, Kind.REGISTRY, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return mood(scene, RegistryProxy.Mood.NONSENSE);
        }
    },
    IMAGES_SLOW(Lane.SURROUNDINGS, 4, Kind.IMAGES, 15) {
        @Override
        boolean inject(Scene scene) {
            return mood(scene, ImageServer.Mood.SLOW);
        }
    },
    IMAGES_REFUSED(Lane.SURROUNDINGS, 4, Kind.IMAGES, 20) {
        @Override
        boolean inject(Scene scene) {
            return mood(scene, ImageServer.Mood.REFUSING);
        }
    },
    IMAGES_DROPPED(Lane.SURROUNDINGS, 3, Kind.IMAGES, 20) {
        @Override
        boolean inject(Scene scene) {
            return mood(scene, ImageServer.Mood.DROPPING);
        }
    },
    IMAGES_HANG(Lane.SURROUNDINGS, 4, Kind.IMAGES, 20) {
        @Override
        boolean inject(Scene scene) {
            return mood(scene, ImageServer.Mood.HANGING);
        }
    },
    /** An instance cannot write files while its tasks' stores are reopened. */
    DISK_FULL(Lane.INSTANCES, 2, Kind.DISK, 25) {
        @Override
        boolean inject(Scene scene) throws Exception {
            ChildProcess process = scene.anyInstance().process();
            Signals.limitFileSize(process.processId(), "1");
            boolean revived = timeOut(process, InstanceMain.COMMIT_TIMES_OUT);
            scene.pass(Duration.ofSeconds(2), Duration.ofSeconds(5));
            if (process.isAlive()) {
                Signals.limitFileSize(process.processId(), "unlimited");
            }
            return revived;
        }
    },
    /** An exception ends a stream thread. */
    THREAD_DIED(Lane.INSTANCES, 3, Kind.THREAD, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            Optional<Instance> instance = scene.anyReady();
            if (instance.isEmpty()) {
                return false;
            }
            ChildProcess process = instance.get().process();
            int before = process.timesSaid(InstanceMain.THREAD_DIED);
            process.command(InstanceMain.THREAD_DIES, PATIENCE);
            return Awaiting.that(PATIENCE, () -> process.timesSaid(InstanceMain.THREAD_DIED) > before);
        }
    },
    /** An instance is stopped, files of its stores are damaged, and it is started again. */
    STORE_DAMAGED(Lane.INSTANCES, 3, Kind.DEATH, 20) {
        @Override
        boolean inject(Scene scene) throws Exception {
            Optional<Instance> instance = scene.anyReady();
            if (instance.isEmpty()) {
                return false;
            }
            List<Damage> kinds = List.of(Damage.values());
            Damage damage = kinds.get(scene.random().nextInt(kinds.size()));
            AtomicInteger files = new AtomicInteger();
            scene.fleet()
                    .cycle(
                            instance.get(),
                            () -> files.set(damage.doTo(instance.get().stateDirectory())));
            return files.get() > 0;
        }
    },
    /** A topic whose records an instance can write again is deleted. */
    TOPIC_DELETED(Lane.SURROUNDINGS, 3, Kind.TOPIC, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return scene.topics().delete(topic(scene));
        }
    },
    /** The records of such a topic are deleted. */
    TOPIC_EMPTIED(Lane.SURROUNDINGS, 3, Kind.TOPIC, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            return scene.topics().empty(topic(scene));
        }
    },
    /** Another tag policy is put in force. */
    POLICY_CHANGED(Lane.SURROUNDINGS, 3, Kind.CONTROL, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            List<Double> minScores = Arrays.asList(null, 0.2, 0.6, 0.9);
            List<Integer> topK = Arrays.asList(null, 1, 3);
            scene.operator()
                    .use(
                            minScores.get(scene.random().nextInt(minScores.size())),
                            topK.get(scene.random().nextInt(topK.size())));
            return true;
        }
    },
    /**
     * One instance after the other is restarted with another release of the model, which is put in force once the first
     * of them runs; in half of the cases the release before is put in force again at once.
     */
    MODEL_SWITCHED(Lane.INSTANCES, 2, Kind.MODEL, 30) {
        @Override
        boolean inject(Scene scene) throws Exception {
            int before = scene.fleet().release();
            switchModel(scene, before == 1 ? 2 : 1);
            if (scene.random().nextBoolean()) {
                scene.pass(Duration.ofMillis(200), Duration.ofSeconds(3));
                switchModel(scene, before);
                return true;
            }
            Instance first = scene.fleet().instances().get(0);
            for (Instance instance : scene.fleet().instances()) {
                if (instance != first) {
                    scene.fleet().cycle(instance);
                    instance.process().await(InstanceMain.READY, PATIENCE);
                }
            }
            return true;
        }
    },
    INSTANCE_ADDED(Lane.INSTANCES, 2, Kind.REBALANCE, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            boolean room = scene.fleet().instances().size() < Fleet.MOST;
            if (room) {
                scene.fleet().add();
            }
            return room;
        }
    },
    INSTANCE_REMOVED(Lane.INSTANCES, 2, Kind.REBALANCE, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            List<Instance> instances = scene.fleet().instances();
            if (instances.size() > 1) {
                scene.fleet().remove(instances.get(scene.random().nextInt(instances.size())));
            }
            return instances.size() > 1;
        }
    },
    ROLLING_RESTART(Lane.INSTANCES, 1, Kind.REBALANCE, 15) {
        @Override
        boolean inject(Scene scene) throws Exception {
            for (Instance instance : scene.fleet().instances()) {
                scene.fleet().cycle(instance);
                instance.process().await(InstanceMain.READY, PATIENCE);
            }
            return true;
        }
    };

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration LONGEST_START = Duration.ofSeconds(60);

    /** Faults in one lane happen one after another, at the same time as those in the other lane. */
    enum Lane {
        INSTANCES,
        SURROUNDINGS
    }

    /** What a fault does to images, which says why they may wait. */
    enum Kind {
        /** Nothing. */
        NONE(false),
        /** Partitions lose their instance. */
        DEATH(true),
        /** Partitions move in order. */
        REBALANCE(true),
        /** A transaction is given up. */
        TIMEOUT(true),
        /** A stream thread is replaced. */
        THREAD(true),
        /** State cannot be written. */
        DISK(true),
        /** Nothing can be read or written, and then everything starts again. */
        BROKER(true, WaitReason.KAFKA_AWAY, WaitReason.NO_ROOM, WaitReason.REGISTRY_AWAY, WaitReason.VOCABULARY_BEHIND),
        /** Some records cannot be read. */
        REGISTRY(true, WaitReason.REGISTRY_AWAY),
        /** Images cannot be fetched. */
        IMAGES(false, WaitReason.NO_ROOM, WaitReason.SLOW_IMAGES),
        /** A topic is missing, or its records are. */
        TOPIC(true, WaitReason.TOPIC_MISSING, WaitReason.VOCABULARY_BEHIND, WaitReason.KAFKA_AWAY),
        /** Images follow other rules. */
        CONTROL(false, WaitReason.VOCABULARY_NOT_ENCODED, WaitReason.VOCABULARY_BEHIND),
        /** Instances wait until their model is in force. */
        MODEL(true, WaitReason.OTHER_MODEL, WaitReason.VOCABULARY_BEHIND),
        /** An instance is behind the vocabulary. */
        VOCABULARY(true, WaitReason.VOCABULARY_BEHIND);

        /** Why images may wait when their partition moves, or its work is done again. */
        private static final Set<WaitReason> MOVING = EnumSet.of(
                WaitReason.REBALANCING,
                WaitReason.RESTORING,
                WaitReason.FENCED,
                WaitReason.THREAD_FAILED,
                WaitReason.TRANSACTION_OPEN,
                WaitReason.VOCABULARY_NOT_ENCODED);

        private final boolean moves;

        @SuppressWarnings("ImmutableEnumChecker") // its list is a copy
        private final List<WaitReason> others;

        Kind(boolean moves, WaitReason... others) {
            this.moves = moves;
            this.others = List.of(others);
        }

        /** Why images may wait. */
        Set<WaitReason> reasons() {
            Set<WaitReason> reasons = EnumSet.noneOf(WaitReason.class);
            reasons.addAll(others);
            if (moves) {
                reasons.addAll(MOVING);
            }
            return reasons;
        }
    }

    private final Lane lane;
    private final int weight;
    private final Kind kind;
    private final Duration bound;

    Fault(Lane lane, int weight, Kind kind, int boundSeconds) {
        this.lane = lane;
        this.weight = weight;
        this.kind = kind;
        this.bound = Duration.ofSeconds(boundSeconds);
    }

    Kind kind() {
        return kind;
    }

    /** The longest time for which this fault alone may make a partition silent, the fault itself included. */
    Duration bound() {
        return bound;
    }

    Lane lane() {
        return lane;
    }

    /** How often this fault is drawn, relative to the others. */
    int weight() {
        return weight;
    }

    abstract boolean inject(Scene scene) throws Exception;

    private static Topics.Lost topic(Scene scene) {
        List<Topics.Lost> candidates = Stream.of(Topics.Lost.values())
                .filter(lost -> lost.isSafe() || scene.apart())
                .toList();
        return candidates.get(scene.random().nextInt(candidates.size()));
    }

    /** Restarts the first instance with a release of the model, and puts that in force. */
    private static void switchModel(Scene scene, int release) throws Exception {
        scene.fleet().release(release);
        Instance first = scene.fleet().instances().get(0);
        scene.fleet().cycle(first);
        first.process().await(InstanceMain.READY, LONGEST_START);
        scene.operator().use(release);
    }

    private static String command(HaltPoint point, int time) {
        return InstanceMain.HALT + " " + point + " " + time;
    }

    /** Halts an instance at one of the next {@code mostTimes} times that it reaches a point. */
    private static boolean halt(Scene scene, HaltPoint point, int mostTimes) throws InterruptedException {
        ChildProcess process = scene.anyInstance().process();
        process.command(command(point, scene.random().nextInt(1, mostTimes + 1)), PATIENCE);
        if (!process.awaitEnd(PATIENCE)) {
            process.command(command(point, 0), PATIENCE);
        }
        return isHalted(process);
    }

    /**
     * Kills an instance, then whichever process reaches a point first: the instance's next process, or an instance that
     * takes over its work.
     */
    private static boolean haltNext(Scene scene, HaltPoint point) throws Exception {
        List<ChildProcess> armed = new ArrayList<>();
        Instance first = scene.anyInstance();
        for (Instance instance : scene.fleet().instances()) {
            if (instance != first) {
                armed.add(instance.process());
            }
        }
        for (ChildProcess other : armed) {
            other.command(command(point, 1), PATIENCE);
        }
        armed.add(scene.fleet().killAndStartWith(first, command(point, 1)));
        boolean halted = Awaiting.that(PATIENCE, () -> armed.stream().anyMatch(Fault::isHalted));
        for (ChildProcess process : armed) {
            process.command(command(point, 0), PATIENCE);
        }
        return halted;
    }

    private static boolean isHalted(ChildProcess process) {
        return !process.isAlive() && process.exitCode() == HaltPoint.EXIT_CODE;
    }

    private static boolean timeOut(ChildProcess process, String command) throws InterruptedException {
        int before = process.timesSaid(InstanceMain.TIMED_OUT);
        process.command(command, PATIENCE);
        return Awaiting.that(PATIENCE, () -> process.timesSaid(InstanceMain.TIMED_OUT) > before);
    }

    /** Spoils the registry's answers, and kills an instance: its next process knows none of the schemas. */
    private static boolean mood(Scene scene, RegistryProxy.Mood mood) throws InterruptedException {
        scene.registry().mood(mood);
        scene.anyInstance().process().kill();
        scene.spells()
                .endAfter(
                        scene.between(Duration.ofSeconds(5), Duration.ofSeconds(10)),
                        () -> scene.registry().mood(RegistryProxy.Mood.WELL));
        return true;
    }

    private static boolean mood(Scene scene, ImageServer.Mood mood) {
        scene.images().mood(mood);
        scene.spells()
                .endAfter(
                        scene.between(Duration.ofSeconds(2), Duration.ofSeconds(6)),
                        () -> scene.images().mood(ImageServer.Mood.WELL));
        return true;
    }
}
