/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks that an application's topics are still there. When one has been deleted, Kafka Streams retries endlessly or
 * reports errors that do not name the topic.
 *
 * <p>A topic that was there once and is missing at two checks in a row is gone. A topic whose offsets an instance
 * remembers is also gone when there is a different topic under its name. A check that the cluster does not answer does
 * not count.
 *
 * <p><i>Threading notes.</i> Checks on a thread of its own, which {@link #close} ends.
 */
final class TopicWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TopicWatch.class);
    private static final int PATIENCE_MILLIS = 10_000;

    private final Admin admin;
    private final Set<String> wanted;
    private final Set<String> irreplaceable;
    private final Duration interval;
    private final Consumer<KafkaException> gone;
    private final ScheduledExecutorService looks;

    /** Topics that have been there. Used only by the watching thread. */
    private final Set<String> seen = new HashSet<>();

    /** The ids of the irreplaceable topics. Used only by the watching thread. */
    private final Map<String, String> ids = new HashMap<>();

    /** Topics that were missing at the last check. Used only by the watching thread. */
    private Set<String> missing = Set.of();

    /**
     * @param wanted topics, some of which may not exist yet
     * @param irreplaceable the wanted topics whose offsets are remembered
     * @param gone is told once of topics that are gone, on the watching thread
     */
    TopicWatch(
            Map<String, Object> settings,
            Set<String> wanted,
            Set<String> irreplaceable,
            Duration interval,
            Consumer<KafkaException> gone) {
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        this.admin = Admin.create(settings);
        this.wanted = Set.copyOf(wanted);
        this.irreplaceable = Set.copyOf(irreplaceable);
        this.interval = interval;
        this.gone = gone;
        this.looks = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "tagstream-topic-watch");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** @param known the ids of topics that were looked up earlier */
    void start(Map<String, String> known) {
        ids.putAll(known);
        var unused = looks.scheduleWithFixedDelay(this::look, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        Map<String, String> there = new HashMap<>();
        try {
            for (TopicListing topic : admin.listTopics().listings().get(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                there.put(topic.name(), topic.topicId().toString());
            }
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            log.debug("Cannot list the topics", e);
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        Set<String> absent = new TreeSet<>(seen);
        absent.removeAll(there.keySet());
        wanted.stream().filter(there::containsKey).forEach(seen::add);
        Optional<String> replaced = irreplaceable.stream()
                .filter(there::containsKey)
                .filter(topic -> !there.get(topic).equals(ids.computeIfAbsent(topic, there::get)))
                .findFirst();
        Set<String> twice = new TreeSet<>(absent);
        twice.retainAll(missing);
        missing = absent;
        if (!twice.isEmpty()) {
            looks.shutdown();
            gone.accept(new KafkaException("the Kafka cluster no longer has topic " + String.join(", ", twice)
                    + "; the other topics keep their records, including images that await their outcome: create the"
                    + " topic again, or let the next start create it (topics.create)"));
        } else if (replaced.isPresent()) {
            looks.shutdown();
            gone.accept(
                    new KafkaException("topic " + replaced.get() + " was deleted and recreated on the Kafka cluster;"
                            + " restart Tagstream to continue with the new topic"));
        } else if (!absent.isEmpty()) {
            log.error("The Kafka cluster no longer has topic {}; Tagstream stops if it stays missing", absent);
        }
    }

    @Override
    public void close() {
        looks.shutdownNow();
        admin.close(Duration.ofSeconds(1));
    }
}
