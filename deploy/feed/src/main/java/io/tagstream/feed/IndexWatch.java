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
 * Looks whether topic and index still are what the feed began with, and writes down when the index was last complete. A
 * look that is not answered does not count.
 *
 * <p><i>Threading notes.</i> Looks on a thread of its own, which {@link #close} ends. The rest may be called by any.
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
    /** When it was last written down that the index is complete. Of the looking thread alone. */
    private Instant noted;

    /** How often in a row the topic was not there. Of the looking thread alone. */
    private int missing;

    /**
     * @param admin stays the caller's
     * @param searchable whether the alias is to stand for the index from the beginning
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

    /** Begins to look, every so often. */
    void start(Duration interval) {
        var unused = looks.scheduleWithFixedDelay(
                this::look, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The alias stands for the index from now on. */
    void switched() {
        searchable = true;
    }

    /** The index holds everything that the topic does. */
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
            log.debug("No look at topic and index", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            log.warn("The look at topic and index failed in a way that is not known", e);
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
                trouble.set("topic %s was created anew; use --recreate to build the index anew from it"
                        .formatted(topic.name()));
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException && ++missing > 1) {
                trouble.set("topic %s is gone; once it is there again, use --recreate to build the index anew from it"
                        .formatted(topic.name()));
            }
        }
    }

    /** Notes a last time, if there is something to note. */
    void noteNow() {
        Instant last = complete;
        if (last != null) {
            try {
                keeper.remember(index, last);
            } catch (OperatorException e) {
                log.debug("Not noted", e);
            }
        }
    }

    @Override
    public void close() {
        looks.shutdownNow();
    }
}
