/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.topology.config.TagstreamConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * What stays the same during a history.
 *
 * @param partitions of the images topic
 * @param room how much work the model takes at a time
 * @param textEncoders whether some releases of the model have another text encoder, and so another label encoder; no
 *     topic of the vocabulary is lost then, since only the label encoder that is replaced could repair that
 * @param nanosPerLook by how much a task's clock goes on whenever the task looks at it
 * @param more keys and values of the configuration
 */
record Settings(
        int partitions, boolean repartition, int room, boolean textEncoders, long nanosPerLook, List<Object> more) {
    static Settings random(Random random) {
        List<Object> more = new ArrayList<>();
        Collections.addAll(
                more,
                TagstreamConfig.IMAGE_FEATURES,
                pick(random, "none", "bounded", "bounded", "all", "all", "all"),
                TagstreamConfig.IMAGE_FEATURES_MAX_COUNT,
                (long) random.nextInt(6),
                TagstreamConfig.IMAGE_SCORES_FLOOR,
                pick(random, 0.0, 0.05, 0.4, 0.8),
                TagstreamConfig.TAGS_TOP_K,
                1 + random.nextInt(8),
                TagstreamConfig.VOCABULARY_SELECTION,
                pick(random, "all", "all", "auto", "candidates", "top-3"),
                TagstreamConfig.VOCABULARY_CANDIDATES_FROM,
                1 + random.nextInt(8),
                TagstreamConfig.TASK_PENDING_MAX,
                pick(random, 1, 3, 1_000),
                TagstreamConfig.SWEEP_CHECK_MILLIS,
                pick(random, 10, 100, 500),
                TagstreamConfig.SWEEP_READS_MAX,
                pick(random, 1, 16));
        return new Settings(
                1 + random.nextInt(3),
                random.nextBoolean(),
                pick(random, 2, 5, 100),
                random.nextInt(4) == 0,
                pick(random, 0L, 100_000L, 2_000_000L),
                List.copyOf(more));
    }

    @SafeVarargs
    private static <T> T pick(Random random, T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    /** Keys and values for {@link io.tagstream.topology.TestConfig}. */
    Object[] configuration() {
        List<Object> all = new ArrayList<>(more);
        all.add(TagstreamConfig.IMAGES_REPARTITION);
        all.add(repartition);
        return all.toArray();
    }
}
