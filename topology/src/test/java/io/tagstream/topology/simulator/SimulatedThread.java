/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.topology.simulator.SimulatedBroker.Writer;
import io.tagstream.topology.simulator.SimulatedBroker.Written;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.TaskId;

/**
 * A stream thread with its tasks and its open transaction, as under exactly-once: everything that the tasks write, their
 * stores' changes and their positions commit together or not at all.
 */
final class SimulatedThread {
    private final SimulatedInstance instance;
    private final SimulatedGroup group;
    private final SortedMap<TaskId, SimulatedTask> tasks = new TreeMap<>();

    /** What the open transaction has written, in order; each is carried out at the commit. */
    private final List<Runnable> transaction = new ArrayList<>();

    private boolean needsCommit;

    /** Whether its session timed out since it last joined the group, even if tasks are assigned to it again. */
    private boolean expired;

    SimulatedThread(SimulatedInstance instance, SimulatedGroup group) {
        this.instance = instance;
        this.group = group;
    }

    SimulatedInstance instance() {
        return instance;
    }

    SimulatedGroup group() {
        return group;
    }

    /** Whether its instance takes tasks of the group. */
    boolean takesTasks() {
        return group != instance.cluster().imagesGroup() || instance.isBundleInForce();
    }

    Collection<SimulatedTask> tasks() {
        return tasks.values();
    }

    /** Notes that a task has gone on, so that there is something to commit. */
    void advanced() {
        needsCommit = true;
    }

    void write(SimulatedTask task, String topicKey, byte[] key, byte[] value, Headers headers, long timestamp) {
        SimulatedBroker broker = instance.cluster().broker();
        String topic = instance.cluster().config().topic(topicKey);
        Headers sent = new RecordHeaders(headers);
        Writer writer = new Writer(instance.life(), task.id().toString());
        transaction.add(() -> {
            broker.append(topic, 0, key, value, sent, timestamp);
            broker.note(new Written(writer, topicKey, key, value, sent));
        });
        needsCommit = true;
    }

    /** Writes to the re-keying topic. */
    void rekey(String id, byte[] value, long timestamp) {
        SimulatedCluster cluster = instance.cluster();
        TopicPartition target = cluster.rekeyed(id);
        transaction.add(() -> cluster.broker()
                .append(
                        target.topic(),
                        target.partition(),
                        id.getBytes(StandardCharsets.UTF_8),
                        value,
                        new RecordHeaders(),
                        timestamp));
        needsCommit = true;
    }

    /** Writes to a store's changelog. */
    void change(String changelog, Bytes key, byte[] value) {
        transaction.add(() -> {
            if (value == null) {
                instance.cluster().broker().changelog(changelog).remove(key);
            } else {
                instance.cluster().broker().changelog(changelog).put(key, value);
            }
        });
        needsCommit = true;
    }

    /** Takes the tasks that the group has assigned to this thread. */
    void adopt() {
        if (expired) {
            lose(); // it joins anew
        }
        for (TaskId id : group.tasksOf(this)) {
            if (!tasks.containsKey(id)) {
                SimulatedTask task = new SimulatedTask(instance.cluster().kind(group, id), id, this);
                tasks.put(id, task);
                task.begin();
            }
        }
    }

    /** A turn: processes records of each task, then runs punctuators. */
    void run(int mostRecords) {
        Set<TopicPartition> paused = instance.poll(this);
        for (SimulatedTask task : tasks.values()) {
            if (!paused.contains(task.input())) {
                task.process(mostRecords);
            }
        }
        tasks.values().forEach(SimulatedTask::punctuate);
    }

    /** The group takes this thread for dead. */
    void expire() {
        expired = true;
    }

    private boolean isFenced() {
        return expired || tasks.keySet().stream().anyMatch(id -> group.owner(id) != this);
    }

    /** Commits the transaction; a thread that has lost tasks is fenced, and loses all it did since its last commit. */
    void commit() {
        if (isFenced()) {
            lose();
            adopt();
            return;
        }
        if (!needsCommit) {
            return;
        }
        transaction.forEach(Runnable::run);
        for (SimulatedTask task : tasks.values()) {
            if (task.readsPresentTopic()) {
                instance.cluster().broker().commitPosition(group.name(), task.input(), task.position());
            }
        }
        clear();
    }

    private void clear() {
        transaction.clear();
        needsCommit = false;
    }

    /** The transaction is aborted, and the tasks are revived with the committed state. */
    void abort() {
        clear();
        tasks.values().forEach(SimulatedTask::end);
        clear();
        if (isFenced()) {
            expired = false;
            tasks.clear();
            adopt();
            return;
        }
        tasks.values().forEach(SimulatedTask::begin);
    }

    /** Gives a task back to the group, in order. */
    void release(TaskId id) {
        commit();
        SimulatedTask task = tasks.get(id);
        if (task != null) {
            task.end();
            commit();
            tasks.remove(id);
        }
    }

    /** Gives all tasks back to the group, in order. */
    void close() {
        commit();
        tasks.values().forEach(SimulatedTask::end);
        tasks.clear();
        clear();
    }

    private void lose() {
        expired = false;
        clear();
        tasks.values().forEach(SimulatedTask::end);
        tasks.clear();
        clear();
    }
}
