/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.streams.processor.TaskId;

/** A consumer group: which thread each task is assigned to, null for none. */
final class SimulatedGroup {
    private final String name;
    private final SortedMap<TaskId, SimulatedThread> owners = new TreeMap<>();

    SimulatedGroup(String name, List<TaskId> tasks) {
        this.name = name;
        tasks.forEach(task -> owners.put(task, null));
    }

    /** The application id. */
    String name() {
        return name;
    }

    List<TaskId> tasks() {
        return List.copyOf(owners.keySet());
    }

    SimulatedThread owner(TaskId task) {
        return owners.get(task);
    }

    List<TaskId> tasksOf(SimulatedThread thread) {
        return owners.entrySet().stream()
                .filter(entry -> entry.getValue() == thread)
                .map(Map.Entry::getKey)
                .toList();
    }

    void assign(TaskId task, SimulatedThread thread) {
        owners.put(task, thread);
    }

    /** Takes a thread's tasks from it and gives them to another, or to nobody. */
    void reassign(SimulatedThread from, SimulatedThread to) {
        owners.replaceAll((task, owner) -> owner == from ? to : owner);
        if (to != null) {
            to.adopt();
        }
    }
}
