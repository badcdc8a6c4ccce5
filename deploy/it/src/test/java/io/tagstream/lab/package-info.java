/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * The crash laboratory: Tagstream in separate processes, a seeded schedule of faults, and a checker that afterwards
 * compares the topics with a sequential model.
 *
 * <p>{@link io.tagstream.lab.Laboratory} runs rounds; a {@link io.tagstream.lab.Round} is a broker, one to three
 * instances, load, and the faults of its {@link io.tagstream.lab.RoundPlan}. {@link io.tagstream.lab.Checker} knows
 * nothing of this: it compares plain lists of records. {@link io.tagstream.lab.BrokerMain} and {@link
 * io.tagstream.lab.InstanceMain} run in child processes.
 *
 * <p>{@link io.tagstream.lab.FixtureScene} keeps a cluster as a version of Tagstream left it, and TakeoverIT starts later
 * versions on it; the checker judges them too.
 */
package io.tagstream.lab;
