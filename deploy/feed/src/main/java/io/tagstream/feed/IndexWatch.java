/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.tagstream.cluster.OperatorException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks that the topic and the index are still the ones that the feed started with, and records when the index was
 * last complete. A check that gets no answer does not count.
 *
 * <p><i>Threading notes.</i> The checks run on their own thread, which {@link #close} ends. Any thread may call the
 * methods.
 */
final class IndexWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(IndexWatch.class);
    private static final Duration LONGEST_BETWEEN_NOTES = Duration.ofMinutes(10);
    private static final int NOTES_PER_RETENTION = 4;

    private final Admin admin;
    private final IndexKeeper keeper;
    private final TagsTopic topic;
    private final TagIndex index;
    private final Duration betweenNotes;
    private final ScheduledExecutorService looks;
    private final AtomicReference<String> trouble = new AtomicReference<>();
    private volatile boolean searchable;
    private volatile Instant complete;
    /** When the index was last recorded as complete. Used only by the watching thread. */
    private Instant noted;

    /** How many times in a row the topic was missing. Used only by the watching thread. */
    private int missing;

    /**
     * @param admin not closed here
     * @param searchable whether the alias points to the index from the start
     */
    IndexWatch(Admin admin, IndexKeeper keeper, TagsTopic topic, TagIndex index, boolean searchable) {
        this.admin = admin;
        this.keeper = keeper;
        this.topic = topic;
        this.index = index;
        this.searchable = searchable;
        this.noted = index.origin().currentAt();
        Duration fraction = topic.deleteRetention().dividedBy(NOTES_PER_RETENTION);
        this.betweenNotes = fraction.compareTo(LONGEST_BETWEEN_NOTES) < 0 ? fraction : LONGEST_BETWEEN_NOTES;
        this.looks = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "tagstream-index-watch");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Starts the periodic checks. */
    void start(Duration interval) {
        var unused = looks.scheduleWithFixedDelay(
                this::look, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** From now on, the alias points to the index. */
    void switched() {
        searchable = true;
    }

    /** Tells the watch that the index held everything in the topic at {@code when}. */
    void complete(Instant when) {
        complete = when;
    }

    /** Why the feed must stop; empty if it need not. */
    Optional<String> trouble() {
        return Optional.ofNullable(trouble.get());
    }

    private void look() {
        try {
            boolean expected = searchable;
            lookAtTopic();
            keeper.trouble(index, expected).ifPresent(trouble::set);
            Instant last = complete;
            if (last != null && !last.isBefore(noted.plus(betweenNotes))) {
                keeper.remember(index, last);
                noted = last;
            }
        } catch (OperatorException | KafkaException e) {
            log.debug("Cannot check the topic and the index", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            log.warn("Checking the topic and the index failed unexpectedly", e);
        }
    }

    private void lookAtTopic() throws InterruptedException {
        try {
            String id = admin.describeTopics(java.util.List.of(topic.name()))
                    .topicNameValues()
                    .get(topic.name())
                    .get()
                    .topicId()
                    .toString();
            missing = 0;
            if (!id.equals(topic.id())) {
                trouble.set(
                        "topic %s was recreated; use --recreate to rebuild the index from it".formatted(topic.name()));
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException && ++missing > 1) {
                trouble.set("topic %s no longer exists; create it, then use --recreate to rebuild the index from it"
                        .formatted(topic.name()));
            }
        }
    }

    /** Records one last time when the index was complete, if it ever was. */
    void noteNow() {
        Instant last = complete;
        if (last != null) {
            try {
                keeper.remember(index, last);
            } catch (OperatorException e) {
                log.debug("Cannot record when the index was complete", e);
            }
        }
    }

    @Override
    public void close() {
        looks.shutdownNow();
    }
}
