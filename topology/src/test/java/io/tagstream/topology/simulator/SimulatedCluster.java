/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.ClusterControl;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.TestConfig;
import io.tagstream.topology.TestRules;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.records.Contracts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.TaskId;

/** A broker, a clock, the consumer groups, and two instances that are not running yet. */
final class SimulatedCluster {
    private static final String REKEYED = "images-rekeyed";
    private static final int ADMISSION = 0;

    /** What an instance had to wait for when it started. */
    record Requirement(String labelsTopicId, long labelOffset) {}

    private final Settings settings;
    private final TagstreamConfig config;
    private final SimulatedRegistry registry = new SimulatedRegistry();
    private final Contracts contracts = new Contracts(registry);
    private final SimulatedBroker broker = new SimulatedBroker();
    private final SimulatedGroup imagesGroup;
    private final Map<String, SimulatedGroup> labelsGroups = new LinkedHashMap<>();
    private final List<SimulatedInstance> instances =
            List.of(new SimulatedInstance(this, 0), new SimulatedInstance(this, 1));

    /** By life, from 0. */
    private final List<Requirement> requirements = new ArrayList<>();

    private final Markers markers = new Markers(this);
    private ClusterControl control;
    private long now = 1_700_000_000_000L;
    private long nanosWithin;

    SimulatedCluster(Settings settings) {
        this.settings = settings;
        this.config = TestConfig.with(settings.configuration());
        contracts.register(config);
        List<TaskId> tasks = new ArrayList<>();
        for (int subtopology = 0; subtopology < (settings.repartition() ? 2 : 1); subtopology++) {
            for (int partition = 0; partition < settings.partitions(); partition++) {
                tasks.add(new TaskId(subtopology, partition));
            }
        }
        this.control = TestRules.control(config, model(1));
        this.imagesGroup = new SimulatedGroup(config.applicationId(), tasks);
        for (String topic :
                List.of(TagstreamConfig.IMAGES_TOPIC, TagstreamConfig.LABELS_TOPIC, TagstreamConfig.EMBEDDINGS_TOPIC)) {
            broker.topicId(config.topic(topic));
        }
    }

    Settings settings() {
        return settings;
    }

    TagstreamConfig config() {
        return config;
    }

    SimulatedRegistry registry() {
        return registry;
    }

    Contracts contracts() {
        return contracts;
    }

    SimulatedBroker broker() {
        return broker;
    }

    List<SimulatedInstance> instances() {
        return instances;
    }

    SimulatedGroup imagesGroup() {
        return imagesGroup;
    }

    /** The group of the label encoder for a text encoder. */
    SimulatedGroup labelsGroup(String textFingerprint) {
        String name = LabelEncoderTopology.applicationId(config.applicationId(), textFingerprint);
        return labelsGroups.computeIfAbsent(name, unknown -> new SimulatedGroup(name, List.of(new TaskId(0, 0))));
    }

    List<SimulatedGroup> labelsGroups() {
        return List.copyOf(labelsGroups.values());
    }

    /** The newest control record. */
    ClusterControl control() {
        return control;
    }

    /** A command changes the control record; every instance reads it when it does. */
    void control(ClusterControl changed) {
        control = changed;
    }

    /** A release of the model. */
    ModelDescription model(int generation) {
        String text = "text-" + (settings.textEncoders() ? generation / 2 : 0);
        return FakeModelRuntime.describe("fake-" + generation, generation, text);
    }

    long now() {
        return now;
    }

    void pass(long millis) {
        now += millis;
        nanosWithin = 0;
    }

    /** The clock that bounds the tasks' turns: it goes on whenever it is asked, so that turns end at different places. */
    long nanoTime() {
        nanosWithin += settings.nanosPerLook();
        return now * 1_000_000 + nanosWithin;
    }

    SimulatedTask.Kind kind(SimulatedGroup group, TaskId task) {
        if (group != imagesGroup) {
            return SimulatedTask.Kind.LABELS;
        }
        if (!settings.repartition()) {
            return SimulatedTask.Kind.ADMISSION_AND_TAGGING;
        }
        return task.subtopology() == ADMISSION ? SimulatedTask.Kind.ADMISSION : SimulatedTask.Kind.TAGGING;
    }

    TopicPartition input(SimulatedTask.Kind kind, TaskId task) {
        String topic = switch (kind) {
            case LABELS -> config.topic(TagstreamConfig.LABELS_TOPIC);
            case TAGGING -> REKEYED;
            case ADMISSION, ADMISSION_AND_TAGGING -> config.topic(TagstreamConfig.IMAGES_TOPIC);
        };
        return new TopicPartition(topic, task.partition());
    }

    /** The partition of the images topic that the producers of an image use. */
    int partition(String imageId) {
        return Math.floorMod(imageId.hashCode(), settings.partitions());
    }

    /** The partition of the re-keying topic, which is not the same. */
    TopicPartition rekeyed(String imageId) {
        return new TopicPartition(REKEYED, Math.floorMod(31 + 7 * imageId.hashCode() / 3, settings.partitions()));
    }

    /** The partition of the tagging task that has an image. */
    int taskOf(String imageId) {
        return settings.repartition() ? rekeyed(imageId).partition() : partition(imageId);
    }

    /** Whether a task of the images group tags. */
    boolean tags(TaskId task) {
        return kind(imagesGroup, task) != SimulatedTask.Kind.ADMISSION;
    }

    static String changelog(String group, String store, int partition) {
        return group + "-" + store + "-changelog-" + partition;
    }

    int beginLife(SimulatedInstance instance) {
        var labels = broker.read(config.topic(TagstreamConfig.LABELS_TOPIC));
        requirements.add(new Requirement(labels.topicId(), labels.newestOffset()));
        return requirements.size() - 1;
    }

    Requirement requirement(int life) {
        return requirements.get(life);
    }

    Markers markers() {
        return markers;
    }

    /** Gives a thread the tasks that nobody has. */
    void join(SimulatedThread thread) {
        if (!thread.takesTasks()) {
            return;
        }
        thread.group().tasks().stream()
                .filter(task -> thread.group().owner(task) == null)
                .forEach(task -> thread.group().assign(task, thread));
        thread.adopt();
    }

    /** A thread's tasks go to another that works, if there is one. */
    void leave(SimulatedThread thread) {
        SimulatedThread heir = instances.stream()
                .filter(SimulatedInstance::isAtWork)
                .flatMap(instance -> Stream.of(instance.images(), instance.labels()))
                .filter(other -> other != thread && other.group() == thread.group() && other.takesTasks())
                .findFirst()
                .orElse(null);
        thread.group().reassign(thread, heir);
    }

    /** The session of an instance times out. */
    void expire(SimulatedInstance instance) {
        for (SimulatedThread thread : List.of(instance.images(), instance.labels())) {
            thread.expire();
            leave(thread);
        }
    }

    /** The sessions of the threads of instances that died time out. */
    void expireTheDead() {
        for (SimulatedGroup group : groups()) {
            for (TaskId task : group.tasks()) {
                SimulatedThread owner = group.owner(task);
                boolean gone = owner != null
                        && (!owner.instance().isRunning()
                                || (owner != owner.instance().images()
                                        && owner != owner.instance().labels()));
                if (gone) {
                    leave(owner);
                }
            }
        }
    }

    /** Threads that work take the tasks that nobody has. */
    void shareOut() {
        expireTheDead();
        for (SimulatedInstance instance : instances) {
            if (instance.isAtWork()) {
                join(instance.images());
                join(instance.labels());
            }
        }
    }

    private List<SimulatedGroup> groups() {
        List<SimulatedGroup> groups = new ArrayList<>(labelsGroups.values());
        groups.add(imagesGroup);
        return groups;
    }
}
