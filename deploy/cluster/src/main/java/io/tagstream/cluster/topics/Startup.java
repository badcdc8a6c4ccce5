/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import io.tagstream.cluster.OperatorException;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepares what a start needs from Kafka and the schema registry: topics and registered contracts. If everything starts
 * at once, these may come up after Tagstream, so it waits for them, but not forever: a wrong address must be reported.
 */
public final class Startup {
    private static final Logger log = LoggerFactory.getLogger(Startup.class);
    private static final Duration PAUSE = Duration.ofSeconds(2);

    private final TagstreamConfig config;
    private final SchemaRegistry registry;
    private final BooleanSupplier stopped;
    private final Duration pause;
    private final long deadline;

    Startup(TagstreamConfig config, SchemaRegistry registry, BooleanSupplier stopped, Duration pause) {
        this.config = config;
        this.registry = registry;
        this.stopped = stopped;
        this.pause = pause;
        this.deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(config.getLong(TopicKeys.START_WAIT_MILLIS));
    }

    /**
     * Makes sure that the topics exist, and registers the contracts; waits up to {@code start.wait.ms} for Kafka and
     * the registry to answer, or until {@code stopped}.
     *
     * @throws OperatorException if they do not answer in time, or refuse
     */
    public static void prepare(TagstreamConfig config, SchemaRegistry registry, BooleanSupplier stopped)
            throws InterruptedException {
        Startup startup = new Startup(config, registry, stopped, PAUSE);
        startup.untilAnswered(() -> TopicProvisioner.provision(config));
        startup.register();
    }

    /**
     * Waits up to {@code start.wait.ms}, or until {@code stopped}, for something else that is needed at start to
     * answer.
     *
     * @param attempt throws an exception that says so, as long as there is no answer
     * @throws OperatorException the attempt's, if there is no answer in time, or a refusal
     */
    public static void await(TagstreamConfig config, BooleanSupplier stopped, Runnable attempt)
            throws InterruptedException {
        new Startup(config, null, stopped, PAUSE).untilAnswered(attempt);
    }

    void register() throws InterruptedException {
        Contracts contracts = new Contracts(registry);
        untilAnswered(() -> {
            try {
                contracts.register(config);
            } catch (KafkaException e) {
                throw ClusterTrouble.of(config, e);
            }
        });
    }

    private void untilAnswered(Runnable attempt) throws InterruptedException {
        while (!stopped.getAsBoolean()) {
            try {
                attempt.run();
                return;
            } catch (OperatorException e) {
                long seconds = Duration.ofNanos(deadline - System.nanoTime()).toSeconds();
                if (e.kind() != OperatorException.Kind.UNAVAILABLE || seconds <= 0) {
                    throw e;
                }
                log.warn("Waiting for up to {} s more: {}", seconds, e.getMessage());
                Thread.sleep(pause.toMillis());
            }
        }
    }
}
