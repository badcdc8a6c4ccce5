/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

/**
 * What a history led to.
 *
 * @param digest SHA-256 of everything that was written to topics and changelogs, in order
 * @param submissions records of the images topic, each with one outcome
 * @param events tag events for images whose tags have changed with the vocabulary or the model
 */
record Outcomes(String digest, int submissions, int events) {}
