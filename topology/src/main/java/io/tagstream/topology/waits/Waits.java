/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Partitions whose images are waiting for something that this instance does not have. Each wait is logged once, with
 * what to do, however many partitions have it.
 *
 * <p><i>Threading notes.</i> A task's stream thread reports its waits; any thread may ask.
 */
public final class Waits {
    private static final Logger log = LoggerFactory.getLogger(Waits.class);

    private final Map<Integer, Wait> waits = new ConcurrentHashMap<>();

    /** Notes that a partition is waiting. */
    public void begin(int partition, Wait wait) {
        if (wait.equals(waits.get(partition))) {
            return;
        }
        boolean news = !waits.containsValue(wait);
        waits.put(partition, wait);
        if (news) {
            log.warn(
                    "Partition {} is waiting ({}): {}. {}",
                    partition,
                    wait.reason(),
                    wait.detail(),
                    wait.reason().remedy());
        }
    }

    /** Notes that a partition has stopped waiting, or has left this instance. */
    public void end(int partition) {
        if (waits.remove(partition) != null && waits.isEmpty()) {
            log.info("No partition is waiting any longer");
        }
    }

    /** The number of partitions that are waiting for this reason. */
    public long partitions(WaitReason reason) {
        return waits.values().stream().filter(wait -> wait.reason() == reason).count();
    }

    /** Which partitions are waiting, with the reason of the first; empty when none is. */
    public Optional<String> reason() {
        return waits.entrySet().stream()
                .min(Map.Entry.comparingByKey())
                .map(first -> "partition %d is waiting%s: %s"
                        .formatted(
                                first.getKey(),
                                waits.size() == 1 ? "" : ", and so are %d others".formatted(waits.size() - 1),
                                first.getValue().detail()));
    }
}
