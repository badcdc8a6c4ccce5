/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * A simulator of two instances on a cluster, in one thread and driven by a seed. The processors are the real ones;
 * Kafka, the clock, the scheduler and the model are simulated. No test of another package uses this.
 */
package io.tagstream.topology.simulator;
