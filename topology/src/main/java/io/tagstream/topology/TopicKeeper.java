/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.topology.clients.TopicIdentities;
import io.tagstream.topology.tagging.TaggingMetric;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps an application's topics: a topic that was there and is missing at two looks in a row is created again, with the
 * partitions and settings that it had. Where a topic is missing for longer than a transaction may last, transactions
 * are aborted and tasks lose what only its records said; so the second look follows the first one closely.
 *
 * <p>A topic that is found under another id was deleted and created by somebody else. A look that the cluster does not
 * answer does not count.
 *
 * <p><i>Threading notes.</i> Looks on a thread of its own, which {@link #close} ends and which also does what others
 * ask for with {@link #soon}; any thread may ask which topics are missing.
 */
final class TopicKeeper implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TopicKeeper.class);
    private static final int PATIENCE_MILLIS = 10_000;
    private static final Duration SECOND_LOOK = Duration.ofMillis(500);

    private final Admin admin;
    private final Map<String, String> losses;
    private final Set<String> creatable;
    private final TopicIdentities identities;
    private final Duration interval;
    private final Consumer<String> replaced;
    private final Map<String, Counter> counters = new HashMap<>();
    private final ScheduledExecutorService looks;

    /** Topics that have been there, as they were when last seen. Used only by the looking thread. */
    private final Map<String, Seen> seen = new TreeMap<>();

    /** Where partitions began at the last look. Used only by the looking thread. */
    private final Map<TopicPartition, Long> firsts = new HashMap<>();

    /** Topics that were missing at the last look. Used only by the looking thread. */
    private Set<String> absent = Set.of();

    private volatile Set<String> missing = Set.of();

    /**
     * A topic as it was.
     *
     * @param settings those that are its own; empty if they may not be read
     */
    private record Seen(String id, int partitions, short replication, Optional<Map<String, String>> settings) {}

    /**
     * @param losses the topics, some of which may not exist yet; for each, what its loss means and what to do
     * @param creatable those that may be created again
     * @param identities are kept up to date
     * @param metrics receives how many topics were lost and are missing
     * @param replaced is told, on the looking thread, of topics in whose place there is another, or whose records were
     *     deleted
     */
    TopicKeeper(
            Map<String, Object> settings,
            Map<String, String> losses,
            Set<String> creatable,
            TopicIdentities identities,
            Duration interval,
            MeterRegistry metrics,
            Consumer<String> replaced) {
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        this.admin = Admin.create(settings);
        this.losses = Map.copyOf(losses);
        this.creatable = Set.copyOf(creatable);
        this.identities = identities;
        this.interval = interval;
        this.replaced = replaced;
        losses.keySet().forEach(topic -> counters.put(topic, TaggingMetric.LOST_TOPICS.counter(metrics, topic)));
        TaggingMetric.MISSING_TOPICS.gauge(metrics, this, keeper -> keeper.missing.size());
        this.looks = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "tagstream-topic-keeper");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Looks once, on the caller's thread, and then again and again. */
    void start() {
        look();
        lookAgain(interval);
    }

    /** Topics that are missing and have not been created again. */
    Set<String> missing() {
        return missing;
    }

    /** Looks after a pause, and then does something on the looking thread. */
    void soon(Runnable work, Duration pause) {
        try {
            var unused = looks.schedule(
                    () -> {
                        try {
                            look();
                            work.run();
                        } catch (RuntimeException e) {
                            log.error("What was to follow the loss of a topic failed; tell the makers of Tagstream", e);
                        }
                    },
                    pause.toMillis(),
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("Too late, the instance is closing", e);
        }
    }

    private void lookAgain(Duration pause) {
        try {
            var unused = looks.schedule(this::lookAndGoOn, pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("No more looks, the instance is closing", e);
        }
    }

    private void lookAndGoOn() {
        try {
            look();
        } catch (RuntimeException e) {
            log.error("The topics cannot be looked at; tell the makers of Tagstream", e);
        }
        boolean soon = !absent.isEmpty() && SECOND_LOOK.compareTo(interval) < 0;
        lookAgain(soon ? SECOND_LOOK : interval);
    }

    private void look() {
        try {
            Map<String, TopicDescription> there = describe();
            Set<String> now = new TreeSet<>(seen.keySet());
            now.removeAll(there.keySet());
            Set<String> gone = new TreeSet<>(now);
            gone.retainAll(absent);
            absent = now;
            createAgain(gone);
            if (absent.isEmpty()) { // or there is no time for the others
                Map<String, Map<String, String>> settings = settings(there.keySet());
                there.forEach((name, topic) -> see(name, topic, Optional.ofNullable(settings.get(name))));
                identify();
                identities.looked();
            }
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            log.debug("The topics cannot be looked at", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Map<String, TopicDescription> describe() throws ExecutionException, TimeoutException, InterruptedException {
        Map<String, TopicDescription> there = new HashMap<>();
        for (Map.Entry<String, KafkaFuture<TopicDescription>> asked :
                admin.describeTopics(losses.keySet()).topicNameValues().entrySet()) {
            try {
                there.put(asked.getKey(), await(asked.getValue()));
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
            }
        }
        return there;
    }

    /** The settings that are the topics' own, by topic and name; without topics whose settings may not be read. */
    private Map<String, Map<String, String>> settings(Set<String> topics)
            throws TimeoutException, InterruptedException {
        List<ConfigResource> resources = topics.stream()
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        Map<String, Map<String, String>> settings = new HashMap<>();
        for (Map.Entry<ConfigResource, KafkaFuture<Config>> asked :
                admin.describeConfigs(resources).values().entrySet()) {
            try {
                settings.put(asked.getKey().name(), own(await(asked.getValue())));
            } catch (ExecutionException e) {
                log.debug("The settings of {} cannot be read", asked.getKey().name(), e);
            }
        }
        return settings;
    }

    private static Map<String, String> own(Config all) {
        return all.entries().stream()
                .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                .collect(Collectors.toMap(ConfigEntry::name, ConfigEntry::value));
    }

    private void see(String name, TopicDescription topic, Optional<Map<String, String>> settings) {
        Seen before = seen.get(name);
        Seen now = new Seen(
                topic.topicId().toString(),
                topic.partitions().size(),
                (short) topic.partitions().get(0).replicas().size(),
                settings.or(() -> before == null ? Optional.empty() : before.settings()));
        seen.put(name, now);
        if (before != null && !before.id().equals(now.id())) {
            log.error("Topic {} was deleted, and there is a new one. {}", name, losses.get(name));
            counters.get(name).increment();
            replaced.accept(name);
        }
    }

    private void createAgain(Set<String> gone) throws TimeoutException, InterruptedException {
        Set<String> left = new TreeSet<>();
        for (String name : gone) {
            if (!createdAgain(name)) {
                left.add(name);
            }
        }
        Set<String> news = new TreeSet<>(left);
        news.removeAll(missing);
        missing = Set.copyOf(left);
        if (!news.isEmpty()) {
            log.error(
                    "The Kafka cluster no longer has topic {}; create it again (topics.create=true lets Tagstream do so)",
                    String.join(", ", news));
        }
    }

    private boolean createdAgain(String name) throws TimeoutException, InterruptedException {
        Seen before = seen.get(name);
        if (!creatable.contains(name) || before.settings().isEmpty()) {
            return false;
        }
        NewTopic topic = new NewTopic(name, before.partitions(), before.replication())
                .configs(before.settings().get());
        try {
            await(admin.createTopics(List.of(topic)).all());
            log.warn("Created topic {} again, with {} partitions as before", name, before.partitions());
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TopicExistsException) {
                return true; // another instance was faster
            }
            log.error("Topic {} cannot be created again: {}", name, e.getCause().getMessage());
            return false;
        }
    }

    private void identify() throws ExecutionException, TimeoutException, InterruptedException {
        Map<TopicPartition, OffsetSpec> first = new HashMap<>();
        for (String name : identities.topics()) {
            Seen topic = seen.get(name);
            for (int partition = 0; topic != null && partition < topic.partitions(); partition++) {
                first.put(new TopicPartition(name, partition), OffsetSpec.earliest());
            }
        }
        if (first.isEmpty()) {
            return;
        }
        Map<TopicPartition, ListOffsetsResultInfo> begins =
                await(admin.listOffsets(first).all());
        Set<String> emptied = new TreeSet<>();
        begins.forEach((partition, begin) -> {
            if (begin.offset() > firsts.getOrDefault(partition, begin.offset())) {
                emptied.add(partition.topic());
            }
            firsts.put(partition, begin.offset());
            identities.found(partition, seen.get(partition.topic()).id(), begin.offset());
        });
        for (String name : emptied) {
            log.error("Records of topic {} were deleted. {}", name, losses.get(name));
            counters.get(name).increment();
            replaced.accept(name);
        }
    }

    private static <T> T await(KafkaFuture<T> answer)
            throws ExecutionException, TimeoutException, InterruptedException {
        return answer.get(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        looks.shutdownNow();
        admin.close(Duration.ofSeconds(1));
    }
}
