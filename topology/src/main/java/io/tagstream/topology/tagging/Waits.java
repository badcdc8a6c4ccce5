/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Partitions whose images wait for something that this instance does not have, and for what. Each reason is logged once,
 * however many partitions have it.
 *
 * <p><i>Threading notes.</i> A task's stream thread tells of it; any thread may ask.
 */
final class Waits {
    private static final Logger log = LoggerFactory.getLogger(Waits.class);

    private final Map<Integer, String> reasons = new ConcurrentHashMap<>();

    /** A partition waits. */
    void begin(int partition, String reason) {
        String before = reasons.get(partition);
        if (reason.equals(before)) {
            return;
        }
        boolean news = !reasons.containsValue(reason);
        reasons.put(partition, reason);
        if (news) {
            log.warn("Partition {} waits: {}", partition, reason);
        }
    }

    /** A partition waits no longer, or is no longer here. */
    void end(int partition) {
        if (reasons.remove(partition) != null && reasons.isEmpty()) {
            log.info("No partition waits any longer");
        }
    }

    /** How many partitions wait. */
    int partitions() {
        return reasons.size();
    }

    /** Which partitions wait, and for what the first of them does; empty when none waits. */
    Optional<String> reason() {
        return reasons.entrySet().stream()
                .min(Map.Entry.comparingByKey())
                .map(first -> "partition %d waits%s: %s"
                        .formatted(
                                first.getKey(),
                                reasons.size() == 1 ? "" : ", and so do %d others".formatted(reasons.size() - 1),
                                first.getValue()));
    }
}
