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
 * Partitions whose images are waiting for something that this instance does not have, with the reason. Each reason is
 * logged once, however many partitions have it.
 *
 * <p><i>Threading notes.</i> A task's stream thread reports its waits; any thread may ask.
 */
final class Waits {
    private static final Logger log = LoggerFactory.getLogger(Waits.class);

    private final Map<Integer, String> reasons = new ConcurrentHashMap<>();

    /** Notes that a partition is waiting. */
    void begin(int partition, String reason) {
        String before = reasons.get(partition);
        if (reason.equals(before)) {
            return;
        }
        boolean news = !reasons.containsValue(reason);
        reasons.put(partition, reason);
        if (news) {
            log.warn("Partition {} is waiting: {}", partition, reason);
        }
    }

    /** Notes that a partition has stopped waiting, or has left this instance. */
    void end(int partition) {
        if (reasons.remove(partition) != null && reasons.isEmpty()) {
            log.info("No partition is waiting any longer");
        }
    }

    /** The number of partitions that are waiting. */
    int partitions() {
        return reasons.size();
    }

    /** Which partitions are waiting, with the reason of the first; empty when none is. */
    Optional<String> reason() {
        return reasons.entrySet().stream()
                .min(Map.Entry.comparingByKey())
                .map(first -> "partition %d is waiting%s: %s"
                        .formatted(
                                first.getKey(),
                                reasons.size() == 1 ? "" : ", and so are %d others".formatted(reasons.size() - 1),
                                first.getValue()));
    }
}
