/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.TagPolicy;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.simulator.SimulatedCluster.Requirement;
import io.tagstream.topology.tagging.SimulatedTagging;
import io.tagstream.topology.tagging.SweepStatus;
import io.tagstream.topology.tagging.TaggingTopology;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.TaskId;

/** Carries out a history, brings everything to rest, and lets a {@link Judge} look at the result. */
final class Simulation {
    /** The header with the number of a submission. */
    static final String NUMBER = "number";

    private static final int MANY = 1_000;
    private static final int ROUND_MILLIS = 50;
    private static final int LONG_ROUND_MILLIS = 3_000;
    private static final int MOST_ROUNDS = 400;

    /** Stores that can be lost without losing images that are owed an outcome. */
    private static final List<List<String>> LOSABLE = List.of(
            List.of(TaggingTopology.SWEEP_STORE),
            List.of(TaggingTopology.SWEEP_STORE),
            List.of(TaggingTopology.IMAGE_FEATURES_STORE),
            List.of(TaggingTopology.SWEEP_STORE, TaggingTopology.IMAGE_FEATURES_STORE),
            List.of(TaggingTopology.IMAGE_META_STORE),
            List.of(TaggingTopology.IMAGE_META_STORE, TaggingTopology.SWEEP_STORE));

    private final History history;
    private final SimulatedCluster cluster;
    private final Labels labels = new Labels();
    private final List<Submission> submissions = new ArrayList<>();
    private final Map<Integer, Integer> metasLostAt = new HashMap<>();
    private int newestModel = 1;

    /**
     * A record of the images topic.
     *
     * @param uri null for a deletion
     */
    record Submission(String id, String uri, boolean readable) {}

    private Simulation(History history) {
        this.history = history;
        this.cluster = new SimulatedCluster(history.settings());
    }

    /**
     * Carries out a history.
     *
     * @return what its outcomes are
     * @throws Violation if something is not as promised
     */
    static Outcomes run(History history) {
        Simulation simulation = new Simulation(history);
        simulation.cluster.instances().forEach(instance -> instance.start(1));
        for (Step step : history.steps()) {
            try {
                simulation.perform(step);
            } catch (Violation e) {
                throw e;
            } catch (RuntimeException e) {
                throw Violation.thrown("at step " + step, e);
            }
        }
        return simulation.end();
    }

    private Outcomes end() {
        try {
            everybodyRuns();
            rest();
            edit("last", Label.newBuilder().setName("word").build()); // a vector that every image is decoded against
            rest();
        } catch (Violation e) {
            throw e;
        } catch (RuntimeException e) {
            throw Violation.thrown("at rest", e);
        }
        Judge judge = new Judge(cluster, submissions, metasLostAt, labels.inForce(), newestModel);
        judge.judge();
        return judge.outcomes();
    }

    private void everybodyRuns() {
        cluster.registry().away(false);
        use(newestModel);
        for (SimulatedInstance instance : cluster.instances()) {
            instance.thaw();
            if (instance.isRunning() && instance.generation() != newestModel) {
                instance.images().commit(); // or finds out that it was fenced
                instance.labels().commit();
                instance.stop();
            }
            if (!instance.isRunning()) {
                instance.start(newestModel);
            }
            instance.readControl();
        }
    }

    private void use(int generation) {
        change(Controls.release(cluster.model(generation)), cluster.control().getPolicy());
    }

    private void change(BundleRelease bundle, TagPolicy policy) {
        Controls.next(cluster.control(), bundle, policy, Instant.EPOCH).ifPresent(cluster::control);
    }

    /** Lets everything work until nothing is left to do. */
    private void rest() {
        Optional<String> missing = Optional.empty();
        for (int round = 0; round < MOST_ROUNDS; round++) {
            boolean slow = round > MOST_ROUNDS / 2; // some things are only looked at every ten seconds
            calm(slow ? LONG_ROUND_MILLIS : ROUND_MILLIS);
            missing = missing();
            if (missing.isEmpty()) {
                return;
            }
        }
        throw new Violation("something waits for ever", missing.orElseThrow());
    }

    /** What is left to do; empty at rest. */
    private Optional<String> missing() {
        for (SimulatedInstance instance : cluster.instances()) {
            if (instance.isAtWork() && !instance.knowsItsTopics()) {
                return Optional.of(instance + " has to restart");
            }
            if (instance.isAtWork()
                    && instance.vocabulary()
                            .snapshot()
                            .filter(snapshot -> snapshot.rules().getRevision()
                                    == cluster.control().getRevision())
                            .isEmpty()) {
                return Optional.of(instance + " has not taken control revision "
                        + cluster.control().getRevision());
            }
            if (instance.isAtWork()
                    && (!instance.hasReadVocabulary()
                            || instance.vocabulary().snapshot().isEmpty())) {
                return Optional.of(instance + " has no vocabulary: "
                        + instance.vocabulary().notReadyBecause().orElse("it has not read it"));
            }
        }
        Optional<String> encoder = encoderLacks();
        if (encoder.isPresent()) {
            return encoder;
        }
        for (TaskId task : cluster.imagesGroup().tasks()) {
            Optional<String> lacks = taskLacks(task);
            if (lacks.isPresent()) {
                return lacks;
            }
        }
        return Optional.empty();
    }

    private Optional<String> encoderLacks() {
        Requirement all = new Requirement(
                cluster.broker().topicId(labelsTopic()), cluster.broker().end(labelsTopic()) - 1);
        String textFingerprint = cluster.model(newestModel).textFingerprint();
        return cluster.markers().cover(textFingerprint, all, Long.MAX_VALUE)
                ? Optional.empty()
                : Optional.of("labels are not encoded up to " + all);
    }

    private Optional<String> taskLacks(TaskId task) {
        SimulatedThread owner = cluster.imagesGroup().owner(task);
        TopicPartition input = cluster.input(cluster.kind(cluster.imagesGroup(), task), task);
        long position = cluster.broker().position(cluster.imagesGroup().name(), input);
        if (position < cluster.broker().end(input)) {
            return Optional.of("task %s has read %s up to %d of %d"
                    .formatted(task, input, position, cluster.broker().end(input)));
        }
        if (!cluster.tags(task)) {
            return Optional.empty();
        }
        int pending = store(TaggingTopology.PENDING_STORE, task.partition());
        if (pending > 0) {
            return Optional.of("task %s owes %d outcomes".formatted(task, pending));
        }
        if (owner == null) {
            return Optional.of("task " + task + " is nobody's");
        }
        if (owner.instance().model().waiting() > 0) {
            return Optional.of("the model of " + owner.instance() + " has work");
        }
        Optional<SweepStatus> sweep = SimulatedTagging.sweeps(owner.instance().shared()).stream()
                .filter(status -> status.partition() == task.partition())
                .findFirst();
        long epoch = owner.instance().vocabulary().epoch();
        boolean swept =
                sweep.isPresent() && !sweep.get().active() && sweep.get().epoch() == epoch;
        return swept ? Optional.empty() : Optional.of("task %s sweeps for epoch %d: %s".formatted(task, epoch, sweep));
    }

    private int store(String store, int partition) {
        return cluster.broker()
                .changelog(SimulatedCluster.changelog(cluster.imagesGroup().name(), store, partition))
                .size();
    }

    /** A round in which everything that runs works, and time passes. */
    private void calm(int millis) {
        cluster.pass(millis);
        cluster.shareOut();
        for (SimulatedInstance instance : cluster.instances()) {
            instance.watchTopics();
            if (instance.isAtWork()) {
                instance.readControl();
                instance.readVocabulary(MANY);
                instance.labels().run(MANY);
                instance.labels().commit();
                instance.images().run(MANY);
                landAll(instance.model(), false);
                instance.images().run(MANY);
                instance.images().commit();
            }
        }
    }

    /** A round in which labels are encoded and read. */
    private void encode() {
        pass(20);
        for (SimulatedInstance instance : cluster.instances()) {
            if (instance.isAtWork()) {
                instance.labels().run(MANY);
                instance.labels().commit();
            }
        }
        for (SimulatedInstance instance : cluster.instances()) {
            if (instance.isAtWork()) {
                instance.readVocabulary(MANY);
            }
        }
    }

    private static void landAll(SimulatedModel model, boolean newestFirst) {
        for (int left = model.waiting(); left > 0; left--) {
            int waiting = model.waiting();
            if (waiting == 0) {
                return;
            }
            model.land(newestFirst ? waiting - 1 : 0);
        }
    }

    private void perform(Step step) {
        switch (step.deed()) {
            case SUBMIT -> submit(step.image(), step.uri());
            case DELETE -> submit(step.image(), null);
            case SUBMIT_GARBAGE -> submitGarbage(step.image());
            case SUBMIT_FOREIGN -> submitForeign(step.image(), step.uri(), step.foreignSchema());
            case REGISTRY -> cluster.registry().away(step.registryLeaves());
            case EDIT_LABEL -> edit(step);
            case EDIT_IN_FORCE -> {
                edit(step);
                for (int turn = 0; turn < 10; turn++) {
                    encode();
                }
            }
            case PASS -> pass(step.millis());
            case CALM -> {
                for (int round = step.a() % 12; round >= 0; round--) {
                    calm(ROUND_MILLIS);
                }
            }
            case LOSE_STORE -> loseStore(step.a(), step.b());
            case LOSE_TOPIC -> loseTopic(step);
            case COMPACT -> cluster.broker().compact(embeddingsTopic());
            case MOVE -> move(step.a());
            case USE -> use(instance(step).generation());
            case CHANGE_POLICY -> change(cluster.control().getBundle(), step.policy());
            case START, THAW, KILL, STOP, FREEZE, EXPIRE, UPGRADE -> perform(step, instance(step));
            case RUN,
                    RUN_ON,
                    COMMIT,
                    ABORT,
                    ENCODE,
                    READ_VOCABULARY,
                    READ_CONTROL,
                    SCORE,
                    SCORE_ALL,
                    LAND,
                    LAND_ALL,
                    FAIL -> {
                if (instance(step).isAtWork()) {
                    work(step, instance(step));
                }
            }
        }
    }

    private SimulatedInstance instance(Step step) {
        return cluster.instances().get(step.instance());
    }

    private void work(Step step, SimulatedInstance instance) {
        SimulatedModel model = instance.model();
        switch (step.deed()) {
            case RUN -> instance.images().run(1 + step.b() % 4);
            case RUN_ON -> {
                for (int turn = step.b() % 8; turn >= 0; turn--) {
                    pass(step.c() % 3 == 0 ? 100 : 10);
                    if (instance.isAtWork()) {
                        instance.images().run(2);
                    }
                }
            }
            case COMMIT -> instance.images().commit();
            case ABORT -> (step.b() % 4 == 1 ? instance.labels() : instance.images()).abort();
            case ENCODE -> {
                for (int turn = step.b() % 9; turn >= 0; turn--) {
                    pass(20);
                    if (instance.isAtWork()) {
                        instance.labels().run(2);
                    }
                }
                if (step.c() % 4 > 0 && instance.isAtWork()) {
                    instance.labels().commit();
                }
            }
            case READ_CONTROL -> instance.readControl();
            case READ_VOCABULARY -> instance.readVocabulary(1 + step.b() % 6);
            case SCORE_ALL -> {
                for (int place = 0; place < model.waiting(); place++) {
                    model.score(place);
                }
            }
            case LAND_ALL -> landAll(model, step.b() % 2 == 1);
            case SCORE, LAND, FAIL -> {
                int waiting = model.waiting();
                if (waiting > 0) {
                    int place = step.b() % waiting;
                    if (step.deed() == Step.Deed.SCORE) {
                        model.score(place);
                    } else if (step.deed() == Step.Deed.LAND) {
                        model.land(place);
                    } else {
                        model.fail(place);
                    }
                }
            }
            default -> throw new AssertionError(step.deed());
        }
    }

    private void pass(int millis) {
        cluster.pass(millis);
        cluster.instances().forEach(SimulatedInstance::watchTopics);
    }

    private void perform(Step step, SimulatedInstance instance) {
        switch (step.deed()) {
            case START -> {
                if (!instance.isRunning()) {
                    instance.start(instance.generation());
                }
            }
            case THAW -> instance.thaw();
            case KILL -> {
                if (instance.isRunning()) {
                    instance.kill();
                }
            }
            case STOP -> {
                if (instance.isAtWork()) {
                    instance.stop();
                }
            }
            case FREEZE -> {
                if (instance.isRunning()) {
                    instance.freeze();
                }
            }
            case EXPIRE -> {
                if (!instance.isAtWork()) {
                    cluster.expire(instance);
                }
            }
            case UPGRADE -> {
                if (instance.isAtWork()) {
                    instance.stop();
                    newestModel += step.b() % 2;
                    instance.start(newestModel);
                }
            }
            default -> throw new AssertionError(step.deed());
        }
    }

    private void submit(String id, String uri) {
        append(new Submission(id, uri, true), reference(uri));
    }

    /** Submits an image as a producer does that has another schema. */
    private void submitForeign(String id, String uri, int schema) {
        byte[] value = ByteBuffer.wrap(reference(uri)).putInt(1, schema).array();
        append(new Submission(id, uri, true), value);
    }

    private byte[] reference(String uri) {
        ImageReference reference =
                uri == null ? null : ImageReference.newBuilder().setUri(uri).build();
        return cluster.contracts()
                .imageReference()
                .serializer()
                .serialize(cluster.config().topic(TagstreamConfig.IMAGES_TOPIC), reference);
    }

    private void submitGarbage(String id) {
        append(new Submission(id, null, false), new byte[] {9, 9, 9});
    }

    private void append(Submission submission, byte[] value) {
        byte[] number = String.valueOf(submissions.size()).getBytes(StandardCharsets.UTF_8);
        submissions.add(submission);
        cluster.broker()
                .append(
                        cluster.config().topic(TagstreamConfig.IMAGES_TOPIC),
                        cluster.partition(submission.id()),
                        submission.id().getBytes(StandardCharsets.UTF_8),
                        value,
                        new RecordHeaders().add(NUMBER, number),
                        cluster.now());
    }

    private String labelsTopic() {
        return cluster.config().topic(TagstreamConfig.LABELS_TOPIC);
    }

    private String embeddingsTopic() {
        return cluster.config().topic(TagstreamConfig.EMBEDDINGS_TOPIC);
    }

    private void edit(Step step) {
        String id = step.label();
        Label now = labels.inForce().get(id);
        if (now == null) {
            edit(id, Label.newBuilder().setName(id).build());
            return;
        }
        Label.Builder changed = Label.newBuilder(now);
        switch (step.b() % 8) {
            case 0 -> edit(id, null);
            case 1 -> edit(id, changed.setName("name-" + step.c() % 3).build());
            case 2, 3 ->
                edit(id, changed.setPrompts(List.of("text-" + step.c() % 20)).build());
            case 4 ->
                edit(
                        id,
                        changed.setState(now.getState() == LabelState.ACTIVE ? LabelState.SHADOW : LabelState.ACTIVE)
                                .build());
            case 5 -> edit(id, changed.setName(" ").build()); // is refused
            default ->
                edit(
                        id,
                        changed.setThreshold(step.c() % 4 == 0 ? null : step.c() % 100 / 100.0)
                                .build());
        }
    }

    private void edit(String id, Label label) {
        labels.write(id, label);
        cluster.broker()
                .append(
                        labelsTopic(),
                        0,
                        id.getBytes(StandardCharsets.UTF_8),
                        cluster.contracts().label().serializer().serialize(labelsTopic(), label),
                        new RecordHeaders(),
                        cluster.now());
    }

    private void move(int choice) {
        List<TaskId> tasks = cluster.imagesGroup().tasks();
        TaskId task = tasks.get(choice % tasks.size());
        SimulatedThread from = cluster.imagesGroup().owner(task);
        Optional<SimulatedInstance> to = cluster.instances().stream()
                .filter(instance -> instance.isAtWork()
                        && instance.isBundleInForce()
                        && (from == null || instance != from.instance()))
                .findFirst();
        if (to.isEmpty() || (from != null && !from.instance().isAtWork())) {
            return;
        }
        if (from != null) {
            from.release(task);
        }
        cluster.imagesGroup().assign(task, to.get().images());
        to.get().images().adopt();
    }

    private void loseStore(int choice, int anyPartition) {
        int partition = anyPartition % history.settings().partitions();
        List<String> stores = LOSABLE.get(choice % LOSABLE.size());
        for (String store : stores) {
            cluster.broker()
                    .changelog(SimulatedCluster.changelog(cluster.imagesGroup().name(), store, partition))
                    .clear();
        }
        if (stores.contains(TaggingTopology.IMAGE_META_STORE)) {
            metasLostAt.put(partition, cluster.broker().written().size());
        }
        for (SimulatedInstance instance : cluster.instances()) {
            boolean has = instance.isRunning()
                    && instance.images().tasks().stream()
                            .anyMatch(
                                    task -> cluster.tags(task.id()) && task.id().partition() == partition);
            if (has) {
                instance.images().abort(); // its task is corrupted
            }
        }
    }

    private void loseTopic(Step step) {
        if (history.settings().textEncoders()) {
            return;
        }
        if (step.losesVocabulary()) {
            for (int round = 0; round < 20 && encoderLacks().isPresent(); round++) {
                calm(ROUND_MILLIS);
            }
            if (encoderLacks().isPresent()) {
                return; // what nobody has read would be lost for good
            }
            labels.topicIsRecreated();
        }
        cluster.broker().createAnew(step.losesVocabulary() ? labelsTopic() : embeddingsTopic());
        cluster.instances().stream()
                .filter(SimulatedInstance::isRunning)
                .forEach(instance -> instance.willNoticeAnotherTopic(cluster.now() + step.millisUnnoticed()));
    }
}
