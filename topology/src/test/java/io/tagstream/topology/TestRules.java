/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.MarkerRules;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.Controls;
import java.time.Instant;
import java.util.List;

/** The model and the tag policy of a new cluster, for tests without one. */
public final class TestRules {
    private TestRules() {}

    /** The first control record. */
    public static ClusterControl control(TagstreamConfig config, ModelDescription model) {
        return new ClusterControl(1L, Controls.release(model), Controls.policy(config), List.of(), Instant.EPOCH);
    }

    /** What markers say under the first control record. */
    public static MarkerRules of(TagstreamConfig config, ModelDescription model) {
        return of(control(config, model), -1);
    }

    /** What markers say under a control record that has been in force since an epoch. */
    public static MarkerRules of(ClusterControl control, long since) {
        return new MarkerRules(control.getRevision(), control.getBundle(), control.getPolicy(), since, since);
    }
}
