/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.lab.HealthCheck.Answer;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.tagging.TaggingTopology;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.utils.Utils;

/**
 * Watches a round from outside, as a user and an operator would: which outcomes are committed and when, and what every
 * instance says at {@code /health/tagging}, once a second.
 *
 * <p><i>Threading notes.</i> A thread follows the outcomes, and another one asks the instances, both until
 * {@link #end}. Any thread may note submissions.
 */
final class Witness implements AutoCloseable {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** How long the first instance may take to be ready; silence is measured from then on. */
    private static final Duration FIRST_START = Duration.ofMinutes(2);

    private final Flow flow;
    private final Fleet fleet;
    private final TagstreamConfig config;
    private final HealthCheck health;
    private final Effects effects;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private final CompletableFuture<Void> failure = new CompletableFuture<>();
    private final Thread outcomes = new Thread(() -> run(this::followOutcomes), "lab-outcomes");
    private final Thread asking = new Thread(() -> run(this::ask), "lab-health");
    private volatile boolean ended;
    private Instant endedAt;

    /** What a thread of this object does. */
    private interface Work {
        void go() throws InterruptedException, IOException;
    }

    Witness(TagstreamConfig config, Fleet fleet, Effects effects, HealthCheck.Limits limits) {
        this.config = config;
        this.fleet = fleet;
        this.effects = effects;
        this.flow = new Flow(config.getInt(TopicKeys.TOPICS_PARTITIONS));
        this.health =
                new HealthCheck(flow, effects, limits, TaggingTopology.taggingInput(config, config.applicationId()));
    }

    void start() {
        outcomes.start();
        asking.start();
    }

    /** Begins to judge: what was before does not count. */
    void begin() {
        flow.begin(Instant.now());
        health.begin();
    }

    /** Notes that the broker has an image or a deletion. */
    void accepted(long sequence, String id) {
        byte[] key = id.getBytes(StandardCharsets.UTF_8);
        flow.accepted(sequence, Utils.toPositive(Utils.murmur2(key)) % flow.partitions(), Instant.now());
    }

    Flow flow() {
        return flow;
    }

    private void run(Work work) {
        try {
            work.go();
        } catch (InterruptedException | IOException | RuntimeException e) {
            failure.completeExceptionally(e);
        }
    }

    private void followOutcomes() {
        try (CommittedReader reader = new CommittedReader(
                config,
                List.of(
                        config.topic(TagstreamConfig.TAGS_TOPIC),
                        config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC)))) {
            while (!ended) {
                for (ConsumerRecord<byte[], byte[]> found : reader.poll()) {
                    Sequences.of(found).ifPresent(sequence -> flow.outcome(sequence, found.partition(), Instant.now()));
                }
            }
        }
    }

    private void ask() throws InterruptedException {
        Awaiting.that(FIRST_START, () -> ended || fleet.instances().stream().anyMatch(Instance::isReady));
        begin();
        while (!ended) {
            List<Instance> instances = fleet.instances();
            List<Answer> answers = new ArrayList<>();
            for (Instance instance : instances) {
                ask(instance.process()).ifPresent(answers::add);
            }
            if (!ended) {
                health.check(answers, instances.size(), Instant.now());
            }
            Thread.sleep(INTERVAL.toMillis());
        }
    }

    private Optional<Answer> ask(ChildProcess process) throws InterruptedException {
        OptionalInt port = process.announcedNumber(InstanceMain.PORT);
        if (port.isEmpty() || !process.isAlive()) {
            return Optional.empty();
        }
        URI address = URI.create("http://127.0.0.1:%d/health/tagging".formatted(port.getAsInt()));
        try {
            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(address).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
            return Optional.of(new Answer(
                    process.name() + " " + process.processId(),
                    Instant.now(),
                    answer.statusCode() == 200,
                    answer.body().strip()));
        } catch (IOException frozenOrDead) {
            return Optional.empty();
        }
    }

    /** Stops watching, because the instances are about to stop. */
    void end() throws InterruptedException, ExecutionException {
        endedAt = Instant.now();
        ended = true;
        asking.join();
        outcomes.join();
        if (failure.isDone()) {
            failure.get();
        }
    }

    /** What was untrue or took too long. After {@link #end}. */
    List<Violation> violations() {
        List<Violation> violations = new ArrayList<>(Silences.check(flow.silences(endedAt), effects));
        violations.addAll(health.violations());
        return violations;
    }

    /** How long partitions were silent. After {@link #end}. */
    Silences silences() {
        return Silences.of(flow.silences(endedAt), effects);
    }

    /** What instances said of partitions that were silent: how often each reason was named. After {@link #end}. */
    String named() {
        return health.named().toString();
    }

    @Override
    public void close() throws InterruptedException {
        ended = true;
        asking.interrupt();
        asking.join();
        outcomes.join();
    }
}
