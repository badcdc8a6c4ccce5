/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.Tagstream;

/**
 * The instance that a console shows.
 *
 * @param tagstream its topologies
 * @param model the model that they tag with
 * @param metrics the registry that all of its metrics go to
 */
public record ShownInstance(Tagstream tagstream, ModelDescription model, MeterRegistry metrics) {}
