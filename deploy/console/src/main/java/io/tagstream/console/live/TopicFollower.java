/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelFailure;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.failures.FailureReader;
import io.tagstream.cluster.failures.Selection;
import io.tagstream.console.search.ImageDocument;
import io.tagstream.console.search.ImageJson;
import io.tagstream.console.search.IndexPosition;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.query.SweepProgress;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.IdDeserializer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads committed records from the tags, failures and vocabulary topics, and keeps the index, the views and the
 * listeners up to date.
 *
 * <p>Listeners hear only of records written after the start, and of an image only once searches can find it. Any
 * failure is logged and the work is tried again: tagging does not depend on it.
 *
 * <p><i>Threading notes.</i> Its own single thread does all the work; {@link #close} may be called from any other
 * thread.
 */
public final class TopicFollower implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TopicFollower.class);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration COMMIT = Duration.ofSeconds(5);
    private static final Duration PROGRESS = Duration.ofSeconds(1);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration ADMIN_PATIENCE = Duration.ofSeconds(30);
    /** Older failures are not shown; {@code tagstream failures list} lists them. */
    private static final Duration FAILURES_BACK_TO = Duration.ofHours(24);

    private static final ObjectMapper JSON = new ObjectMapper().registerModule(ImageJson.times());

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final Optional<SearchIndex> index;
    private final VocabularyView vocabulary;
    private final FailureView failures;
    private final EventHub events;
    private final Supplier<VocabularyInForce> inForce;
    private final Supplier<Optional<SweepProgress>> progress;

    private final String tagsTopic;
    private final String failuresTopic;
    private final String labelsTopic;
    private final String labelFailuresTopic;
    private final IdDeserializer imageIds = new IdDeserializer("image");
    private final IdDeserializer labelIds = new IdDeserializer("label");

    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private volatile KafkaConsumer<byte[], byte[]> consumer;
    private volatile long behind = -1;

    /**
     * Listeners are not told of records before these offsets. This and the fields below are used only by the thread.
     */
    private final Map<TopicPartition, Long> liveFrom = new HashMap<>();

    private IndexPosition beginning;
    private boolean indexChanged;
    private Instant committedAt = Instant.EPOCH;
    private Instant progressAt = Instant.EPOCH;
    private VocabularyInForce lastInForce;
    private SweepProgress lastProgress;

    /**
     * @param index the index to keep up to date with the whole tags topic, if there is one
     * @param inForce the vocabulary that this instance tags with
     * @param progress how far known images have caught up with it, if known
     */
    public TopicFollower(
            TagstreamConfig config,
            Contracts contracts,
            Optional<SearchIndex> index,
            LiveViews views,
            Supplier<VocabularyInForce> inForce,
            Supplier<Optional<SweepProgress>> progress) {
        this.config = config;
        this.contracts = contracts;
        this.index = index;
        this.vocabulary = views.vocabulary();
        this.failures = views.failures();
        this.events = views.events();
        this.inForce = inForce;
        this.progress = progress;
        this.tagsTopic = config.topic(TagstreamConfig.TAGS_TOPIC);
        this.failuresTopic = config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC);
        this.labelsTopic = config.topic(TagstreamConfig.LABELS_TOPIC);
        this.labelFailuresTopic = config.topic(TagstreamConfig.LABEL_FAILURES_TOPIC);
        this.thread = new Thread(this::run, "tagstream-follower");
        thread.setDaemon(true);
    }

    /** Starts reading. */
    public void start() {
        thread.start();
    }

    /** How many offsets of the tags topic have not been read yet; -1 while unknown. */
    public long behind() {
        return behind;
    }

    private void run() {
        while (closing.getCount() > 0) {
            try (KafkaConsumer<byte[], byte[]> opened = open()) {
                consumer = opened;
                assign(opened);
                while (closing.getCount() > 0) {
                    turn(opened);
                }
                commit(opened);
            } catch (WakeupException | InterruptException e) {
                log.debug("The follower was woken up to stop", e);
            } catch (KafkaException | IOException | InterruptedException e) {
                log.warn("The console cannot read its topics, and tries again: {}", e.toString());
                log.debug("The cause", e);
                pause();
            } catch (RuntimeException e) { // otherwise the console would stop updating silently
                log.error("The console cannot read its topics, and tries again", e);
                pause();
            }
        }
    }

    private void pause() {
        try {
            if (closing.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
                log.debug("Closing");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private KafkaConsumer<byte[], byte[]> open() {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /**
     * Starts the vocabulary at its beginning, tags at the index's position if there is an index, and everything else at
     * its end.
     */
    private void assign(KafkaConsumer<byte[], byte[]> opened) throws IOException, InterruptedException {
        List<TopicPartition> tags = partitions(opened, tagsTopic);
        List<TopicPartition> labels = partitions(opened, labelsTopic);
        List<TopicPartition> ends = new ArrayList<>(partitions(opened, failuresTopic));
        ends.addAll(partitions(opened, labelFailuresTopic));
        List<TopicPartition> all = new ArrayList<>(tags);
        all.addAll(labels);
        all.addAll(ends);
        opened.assign(all);
        opened.seekToBeginning(labels);
        opened.seekToEnd(ends);
        Map<TopicPartition, Long> tagsEnds = opened.endOffsets(tags);
        tagsEnds.forEach(liveFrom::putIfAbsent);
        ends.forEach(partition -> liveFrom.putIfAbsent(partition, opened.position(partition)));
        if (index.isPresent()) {
            seek(opened, index.get(), tags, tagsEnds);
        } else {
            tagsEnds.forEach(opened::seek);
        }
        readFailures();
    }

    private void seek(
            KafkaConsumer<byte[], byte[]> opened,
            SearchIndex search,
            List<TopicPartition> tags,
            Map<TopicPartition, Long> ends)
            throws IOException, InterruptedException {
        beginning = IndexPosition.beginning(tagsTopic, topicId());
        boolean same = search.position().isOf(beginning)
                && tags.stream().allMatch(tag -> reached(search, tag) <= ends.get(tag));
        if (!same) {
            log.info("Building the search index from the beginning of topic {}", tagsTopic);
            search.startAnew(beginning);
        }
        for (TopicPartition tag : tags) {
            opened.seek(tag, reached(search, tag));
        }
    }

    private static long reached(SearchIndex search, TopicPartition partition) {
        return search.position().next().getOrDefault(partition.partition(), 0L);
    }

    private String topicId() throws InterruptedException {
        try (Admin admin = Admin.create(config.kafkaSettings())) {
            return admin.describeTopics(List.of(tagsTopic))
                    .allTopicNames()
                    .get(ADMIN_PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .get(tagsTopic)
                    .topicId()
                    .toString();
        } catch (ExecutionException | java.util.concurrent.TimeoutException e) {
            throw new KafkaException("Topic " + tagsTopic + " cannot be looked up", e);
        }
    }

    private void readFailures() {
        Selection lately =
                new Selection(Set.of(), Set.of(), Optional.of(Instant.now().minus(FAILURES_BACK_TO)));
        try (FailureReader reader = new FailureReader(config, contracts, log::debug)) {
            reader.current(lately)
                    .forEach(failed -> failures.failed(CurrentFailure.of(failed.imageId(), failed.failure())));
        }
    }

    private static List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer, String topic) {
        return consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
    }

    private void turn(KafkaConsumer<byte[], byte[]> opened) throws IOException {
        ConsumerRecords<byte[], byte[]> records = opened.poll(POLL);
        List<Runnable> tidings = new ArrayList<>();
        Map<String, Label> labels = new LinkedHashMap<>();
        for (ConsumerRecord<byte[], byte[]> found : records) {
            try {
                take(found, labels).filter(tiding -> isLive(found)).ifPresent(tidings::add);
            } catch (SerializationException | IllegalArgumentException e) {
                log.warn(
                        "Skipped {}-{}@{}, which cannot be read or indexed: {}",
                        found.topic(),
                        found.partition(),
                        found.offset(),
                        e.getMessage());
            }
        }
        if (!labels.isEmpty()) {
            vocabulary.apply(labels);
        }
        if (index.isPresent() && indexChanged) {
            index.get().show();
        }
        tidings.forEach(Runnable::run); // only once searches can find the images that they announce
        measure(opened);
        if (Duration.between(committedAt, Instant.now()).compareTo(COMMIT) > 0) {
            commit(opened);
        }
        tellVocabulary();
        tellProgress();
    }

    private boolean isLive(ConsumerRecord<byte[], byte[]> found) {
        return found.offset() >= liveFrom.getOrDefault(new TopicPartition(found.topic(), found.partition()), 0L);
    }

    /** Applies a record, and returns the event to publish about it, if any. */
    private Optional<Runnable> take(ConsumerRecord<byte[], byte[]> found, Map<String, Label> labels)
            throws IOException {
        if (found.topic().equals(tagsTopic)) {
            return Optional.of(takeTags(found));
        } else if (found.topic().equals(failuresTopic)) {
            String id = imageIds.deserialize(found.topic(), found.key());
            ImageFailure failure = contracts.imageFailure().deserializer().deserialize(found.topic(), found.value());
            if (failure == null) {
                return Optional.empty();
            }
            CurrentFailure current = CurrentFailure.of(id, failure);
            failures.failed(current);
            return Optional.of(() -> publish(LiveEvent.Kind.FAILED, current));
        } else if (found.topic().equals(labelsTopic)) {
            String id = labelIds.deserialize(found.topic(), found.key());
            labels.put(id, contracts.label().deserializer().deserialize(found.topic(), found.value()));
            return Optional.empty();
        }
        LabelFailure refused = contracts.labelFailure().deserializer().deserialize(found.topic(), found.value());
        String id = IdDeserializer.describe(found.key());
        return refused == null
                ? Optional.empty()
                : Optional.of(() -> publish(
                        LiveEvent.Kind.VOCABULARY,
                        new RefusedLabel(id, refused.getReason().name(), refused.getMessage())));
    }

    private record RefusedLabel(String refused, String reason, String message) {}

    private record DeletedImage(String id) {}

    private Runnable takeTags(ConsumerRecord<byte[], byte[]> found) throws IOException {
        String id = imageIds.deserialize(found.topic(), found.key());
        TagEvent event = contracts.tagEvent().deserializer().deserialize(found.topic(), found.value());
        failures.mended(id, Instant.ofEpochMilli(found.timestamp()));
        indexChanged = true;
        if (event == null) {
            if (index.isPresent()) {
                index.get().delete(id);
            }
            return () -> publish(LiveEvent.Kind.DELETED, new DeletedImage(id));
        }
        ImageDocument image = ImageDocument.of(id, event);
        if (index.isPresent()) {
            index.get().put(image);
        }
        return () -> publish(LiveEvent.Kind.TAGGED, image);
    }

    private void measure(KafkaConsumer<byte[], byte[]> opened) {
        long lag = 0;
        for (TopicPartition partition : opened.assignment()) {
            if (partition.topic().equals(tagsTopic)) {
                lag += opened.currentLag(partition).orElse(0);
            }
        }
        behind = lag;
    }

    private void commit(KafkaConsumer<byte[], byte[]> opened) throws IOException {
        committedAt = Instant.now();
        if (index.isEmpty() || !indexChanged) {
            return;
        }
        Map<Integer, Long> next = new HashMap<>();
        for (TopicPartition partition : opened.assignment()) {
            if (partition.topic().equals(tagsTopic)) {
                next.put(partition.partition(), opened.position(partition));
            }
        }
        index.get().commit(new IndexPosition(beginning.topic(), beginning.topicId(), next));
        indexChanged = false;
    }

    private void tellVocabulary() {
        VocabularyInForce now = inForce.get();
        if (!now.equals(lastInForce)) {
            if (lastInForce != null) {
                publish(LiveEvent.Kind.VOCABULARY, now);
            }
            lastInForce = now;
        }
    }

    private void tellProgress() {
        if (events.listeners() == 0
                || Duration.between(progressAt, Instant.now()).compareTo(PROGRESS) < 0) {
            return;
        }
        progressAt = Instant.now();
        progress.get().filter(now -> !now.equals(lastProgress)).ifPresent(now -> {
            publish(LiveEvent.Kind.PROGRESS, now);
            lastProgress = now;
        });
    }

    private void publish(LiveEvent.Kind kind, Object what) {
        try {
            events.publish(kind, JSON.writeValueAsString(what));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A record of plain values is always JSON", e);
        }
    }

    /** Stops the thread, and waits up to 15 s for it to commit what it has read to the index. */
    @Override
    public void close() {
        closing.countDown();
        KafkaConsumer<?, ?> open = consumer;
        try {
            thread.join(Duration.ofSeconds(10).toMillis());
            if (thread.isAlive() && open != null) {
                open.wakeup();
                thread.join(Duration.ofSeconds(5).toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
