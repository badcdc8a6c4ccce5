/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * The crash laboratory: Tagstream in processes of its own, a seeded schedule of faults, and a checker that holds what is
 * on the topics afterwards against a sequential model.
 *
 * <p>{@link io.tagstream.lab.Laboratory} runs rounds; a {@link io.tagstream.lab.Round} is a broker, one to three
 * instances, load, and the faults of its {@link io.tagstream.lab.RoundPlan}. {@link io.tagstream.lab.Checker} knows
 * nothing of all that: it compares plain lists of records. What runs in child processes is {@link
 * io.tagstream.lab.BrokerMain} and {@link io.tagstream.lab.InstanceMain}.
 */
package io.tagstream.lab;
