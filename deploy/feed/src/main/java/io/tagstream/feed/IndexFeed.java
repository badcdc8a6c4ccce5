/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.feed.DocumentWriter.Outcome;
import io.tagstream.feed.RejectedRecords.DocumentRejectedException;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.IdDeserializer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps an index equal to the tags topic: the latest record of an image becomes its document, and a deletion hides it.
 *
 * <p>A document's version is its record's offset, and the server accepts only a version newer than its own. So it does
 * not matter to the index in which order documents arrive, how often they arrive, or where a restart resumes reading. A
 * deleted image keeps an empty document, which the alias hides. Servers remember the version of a truly deleted
 * document for only a minute, so an old record that arrives later, by a replay or a retry, would bring the image back.
 *
 * <p><i>Threading notes.</i> {@link #run} does all the work on the caller's thread. Only that thread touches the state
 * here, except where marked. {@link #notReadyBecause} may be called by any thread. An instance runs once.
 */
public final class IndexFeed {
    private static final Logger log = LoggerFactory.getLogger(IndexFeed.class);

    public static final int DOCUMENTS_A_REQUEST = 1_000;
    public static final int REQUESTS = 2;
    /** How many records may await their outcome: enough to fill the requests while others wait for a retry. */
    private static final int MOST_UNSETTLED = 10_000;

    private static final long MOST_UNSETTLED_BYTES = 128L * 1024 * 1024;

    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration FLUSH = Duration.ofMillis(100);
    private static final Duration COMMIT = Duration.ofMillis(500);
    private static final Duration COMPLETENESS = Duration.ofMillis(200);
    private static final Duration MOMENT = Duration.ofSeconds(10);
    private static final Duration COMPLAINT = Duration.ofSeconds(30);
    private static final Duration LAST_OUTCOMES = Duration.ofSeconds(5);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final IndexTarget target;
    private final IndexKeeper keeper;
    private final Options options;
    private final IndexMeters meters;

    private final IdDeserializer imageIds = new IdDeserializer("image");
    private final Positions positions = new Positions();
    private final Retries retries = new Retries();
    /** Writes whose request was refused as a whole. Each is sent alone, to find out which one caused it. */
    private final Queue<Write> suspects = new ArrayDeque<>();
    /** Letters whose write has succeeded or failed; the producer's threads add them. */
    private final Queue<Letter> letters = new ConcurrentLinkedQueue<>();

    private final AtomicReference<String> notReady = new AtomicReference<>("starting");
    private boolean building;
    private boolean troubled;
    private boolean done;
    private long complained;
    private long flushed = System.nanoTime();
    private long committed = System.nanoTime();
    private long asked = System.nanoTime() - COMPLETENESS.toNanos();

    /**
     * How the index is fed.
     *
     * @param alias the name that searches go to
     * @param recreate whether to build a new index beside the one that is searched
     * @param once whether to end when the index holds everything in the topic
     */
    public record Options(String alias, boolean recreate, boolean once) {}

    private record Letter(Write write, Exception failure) {}

    public IndexFeed(
            TagstreamConfig config, Contracts contracts, IndexTarget target, Options options, MeterRegistry metrics) {
        this.config = config;
        this.contracts = contracts;
        this.target = target;
        this.options = options;
        this.keeper = target.keeper(options.alias());
        this.meters = new IndexMeters(metrics);
    }

    /** Why documents are not being indexed now; empty while they are. */
    public Optional<String> notReadyBecause() {
        return Optional.ofNullable(notReady.get());
    }

    /**
     * Feeds the index until it is asked to stop or, with {@link Options#once()}, until the index is complete.
     *
     * @param stopped whether the feed has been asked to stop
     * @throws OperatorException if the topic or the index is not, or no longer, as required; the message says what to
     *     do
     */
    public void run(BooleanSupplier stopped) throws InterruptedException {
        try (Admin admin = TagsTopic.admin(config)) {
            TagsTopic topic = TagsTopic.find(admin, config.topic(TagstreamConfig.TAGS_TOPIC));
            building = options.recreate() && keeper.current().isPresent();
            TagIndex index = building ? keeper.openBeside(topic) : keeper.open(topic);
            try (IndexWatch watch = new IndexWatch(admin, keeper, topic, index, !building);
                    RejectedRecords rejected = new RejectedRecords(config);
                    DocumentWriter writer = target.writer(index, DOCUMENTS_A_REQUEST, REQUESTS);
                    DocumentWriter alone = target.writer(index, 1, 1);
                    TagsReader reader = new TagsReader(config, topic, index, positions)) {
                watch.start(config.topicsCheck());
                log.info("Feeding index {} from topic {}", index.name(), topic.name());
                new Loop(index, watch, rejected, writer, alone, reader, stopped).run();
            }
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    /** The feed at work. */
    private final class Loop {
        private final TagIndex index;
        private final IndexWatch watch;
        private final RejectedRecords rejected;
        private final DocumentWriter writer;
        private final DocumentWriter alone;
        private final TagsReader reader;
        private final BooleanSupplier stopped;

        Loop(
                TagIndex index,
                IndexWatch watch,
                RejectedRecords rejected,
                DocumentWriter writer,
                DocumentWriter alone,
                TagsReader reader,
                BooleanSupplier stopped) {
            this.index = index;
            this.watch = watch;
            this.rejected = rejected;
            this.writer = writer;
            this.alone = alone;
            this.reader = reader;
            this.stopped = stopped;
        }

        void run() throws InterruptedException {
            notReady.set(building ? "building index " + index.name() : null);
            while (!stopped.getAsBoolean() && !done) {
                failIfTroubled();
                boolean waiting = positions.size() > 0;
                boolean idle = !reader.poll(waiting ? Duration.ofMillis(5) : POLL);
                measure();
                settle();
                send();
                if (idle || isDue(flushed, FLUSH)) {
                    writer.flush();
                    flushed = System.nanoTime();
                }
                if (isDue(committed, COMMIT)) {
                    reader.commit();
                    committed = System.nanoTime();
                }
                if (reader.hasNext() || (idle && waiting)) {
                    writer.awaitOutcomes(Duration.ofMillis(20));
                }
            }
            finish();
        }

        private void failIfTroubled() {
            watch.trouble().ifPresent(trouble -> {
                notReady.set(trouble);
                throw OperatorException.failed(trouble);
            });
        }

        private void send() throws InterruptedException {
            for (Write again = nextRetry(); again != null; again = nextRetry()) {
                if (isOwed(again)) {
                    writer.add(again);
                }
            }
            while (!suspects.isEmpty() && alone.hasRoom()) {
                Write suspect = suspects.remove();
                if (isOwed(suspect)) {
                    alone.add(suspect);
                }
            }
            while (reader.hasNext()
                    && writer.hasRoom()
                    && positions.size() < MOST_UNSETTLED
                    && positions.bytes() < MOST_UNSETTLED_BYTES) {
                ConsumerRecord<byte[], byte[]> record = reader.next();
                Write write = write(record);
                if (write != null) {
                    writer.add(write);
                }
            }
        }

        private Write nextRetry() {
            return writer.hasRoom() ? retries.next() : null;
        }

        /** Whether this instance must still make a write. */
        private boolean isOwed(Write write) {
            return positions.owes(write.partition(), write.offset());
        }

        /** Turns a record into a write; null if it cannot be read, or not before the feed is asked to stop. */
        private Write write(ConsumerRecord<byte[], byte[]> found) throws InterruptedException {
            try {
                String id = imageIds.deserialize(found.topic(), found.key());
                Instant writtenAt = Write.writtenAt(found);
                if (found.value() == null) {
                    return new Write(found, id, TagDocument.ofDeletion(writtenAt));
                }
                TagEvent event = event(found);
                return event == null ? null : new Write(found, id, TagDocument.of(event, writtenAt));
            } catch (SerializationException e) {
                reject(new Write(found, null, null), e);
                return null;
            }
        }

        /** Reads an event; null if the feed is asked to stop before the registry answers. */
        private TagEvent event(ConsumerRecord<byte[], byte[]> found) throws InterruptedException {
            while (!stopped.getAsBoolean()) {
                try {
                    return contracts.tagEvent().deserializer().deserialize(found.topic(), found.value());
                } catch (RegistryUnavailableException e) {
                    complain("the schema registry does not answer: " + e.getMessage());
                    Thread.sleep(POLL.toMillis());
                    reader.poll(Duration.ZERO);
                    failIfTroubled();
                }
            }
            return null;
        }

        private void reject(Write write, Exception reason) {
            log.warn(
                    "Record {}@{} cannot be indexed in {} and goes to {} instead: {}",
                    write.partition(),
                    write.offset(),
                    index.name(),
                    config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC),
                    reason.getMessage());
            rejected.write(write.found(), reason, (metadata, failure) -> letters.add(new Letter(write, failure)));
        }

        /** Handles the outcomes of writes and letters. */
        private void settle() {
            writer.outcomes().forEach(this::settle);
            alone.outcomes().forEach(this::settle);
            for (Letter letter = letters.poll(); letter != null; letter = letters.poll()) {
                if (letter.failure() != null) {
                    throw new KafkaException("A dead letter cannot be written", letter.failure());
                }
                meters.rejected();
                settled(letter.write());
            }
        }

        private void settle(Outcome outcome) {
            Write write = outcome.write();
            if (!isOwed(write)) {
                return; // another instance reads this partition now
            }
            if (outcome.refusal() == null) {
                meters.written(write);
                settled(write);
                recovered();
                return;
            }
            Refusal refusal = outcome.refusal();
            switch (refusal.what()) {
                case STALE -> {
                    meters.unchanged();
                    settled(write);
                    recovered();
                }
                case MAY_PASS -> {
                    meters.retried();
                    retries.add(write);
                    complain("the search server at %s accepts no documents: %s"
                            .formatted(target.address(), refusal.reason()));
                }
                case REJECTED -> reject(write, new DocumentRejectedException(refusal.reason()));
                case SUSPECT -> suspects.add(write);
                case FATAL ->
                    throw OperatorException.failed(
                            "index %s can no longer be written to: %s".formatted(index.name(), refusal.reason()));
            }
        }

        private void settled(Write write) {
            positions.settle(write.partition(), write.offset());
        }

        private void measure() {
            reader.lag().ifPresent(lag -> {
                meters.behind(lag, positions.size());
                if (reader.isAssigned() && lag == 0 && !building) {
                    watch.complete(Instant.now());
                }
                boolean asking = building || options.once();
                if (asking && lag == 0 && isDue(asked, COMPLETENESS)) {
                    complete();
                    asked = System.nanoTime();
                }
            });
        }

        private void complete() {
            if (!reader.isComplete(MOMENT)) {
                return;
            }
            if (building) {
                keeper.switchTo(index);
                watch.switched();
                building = false;
                notReady.set(null);
            }
            watch.complete(Instant.now());
            if (options.once()) {
                keeper.refresh(index); // a user who waited for the end searches next
                done = true;
            }
        }

        /** Waits briefly for writes under way, then records the progress of each partition. */
        private void finish() throws InterruptedException {
            writer.flush();
            long since = System.nanoTime();
            while (positions.size() > 0 && !troubled && !isDue(since, LAST_OUTCOMES)) {
                writer.awaitOutcomes(POLL);
                settle();
            }
            reader.commit();
            watch.noteNow();
        }
    }

    private void complain(String trouble) {
        notReady.set(trouble);
        if (!troubled || isDue(complained, COMPLAINT)) {
            log.warn("Waiting before trying again: {}", trouble);
            complained = System.nanoTime();
        }
        troubled = true;
    }

    private void recovered() {
        if (troubled) {
            troubled = false;
            log.info("The search server accepts documents again");
            notReady.set(building ? "building an index" : null);
        }
    }

    private static boolean isDue(long since, Duration interval) {
        return System.nanoTime() - since >= interval.toNanos();
    }
}
