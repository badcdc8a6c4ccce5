/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.outcomes.ImageOutcome;
import io.tagstream.cluster.outcomes.OutcomeReader;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.ObjIntConsumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Uploads photos, each upload a new image, and reads the committed events of these and of images that follow the
 * vocabulary. Used by one thread.
 */
final class Uploads implements AutoCloseable {
    private static final Duration TURN = Duration.ofMillis(5);
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** The time until the pipeline is full; a shorter measurement has an equally short run-up. */
    private static final Duration RUN_UP = Duration.ofSeconds(2);

    /** In a shorter measurement, fewer images are under way, so that it does not wait long for the last of them. */
    private static final Duration SHORT = Duration.ofSeconds(4);

    private List<NamedImage> photos;
    private final String topic;
    private final Producer<String, ImageReference> producer;
    private final OutcomeReader reader;
    private final LongSupplier cpuNanos;
    private final BooleanSupplier stopped;
    private final Map<String, Upload> underWay = new HashMap<>();
    private final Map<String, Known> known = new HashMap<>();
    private long uploads;
    private long events;
    private long lastEventNanos;

    /** A label whose first event is waited for; empty for none. */
    private String watched = "";

    private OptionalLong watchedNanos = OptionalLong.empty();

    private ObjIntConsumer<TagEvent> check = (event, photo) -> {};

    private record Upload(int photo, long dueNanos) {}

    /** An image that has been tagged: the photo that it is a copy of, and its latest event. */
    record Known(int photo, TagEvent event) {
        /** The tags' scores by label id. */
        Map<String, Float> scores() {
            return event.getTags().stream().collect(Collectors.toMap(Tag::getLabelId, Tag::getScore));
        }

        Set<String> labels() {
            return scores().keySet();
        }
    }

    /**
     * Uploads to, and reads from, the topics of a configuration.
     *
     * @param cpuNanos processor time used so far by the measured process
     */
    Uploads(
            List<NamedImage> photos,
            TagstreamConfig config,
            Contracts contracts,
            LongSupplier cpuNanos,
            BooleanSupplier stopped) {
        this.photos = photos;
        this.cpuNanos = cpuNanos;
        this.stopped = stopped;
        this.topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        this.reader = new OutcomeReader(config, contracts);
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        this.producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.imageReference().serializer());
        reader.readCurrentTags();
    }

    /** From now on, uploads these photos. */
    void use(List<NamedImage> others) {
        photos = others;
    }

    /** From now on, passes every event of an upload to {@code newCheck}, with the photo's index. */
    void check(ObjIntConsumer<TagEvent> newCheck) {
        check = newCheck;
    }

    /** The number of events, since the last call, of images that were tagged before. */
    long takeEvents() {
        long taken = events;
        events = 0;
        return taken;
    }

    /** When the last of those events came. */
    long lastEventNanos() {
        return lastEventNanos;
    }

    /** From now on waits for the first event with a tag of this label. */
    void watch(String labelId) {
        watched = labelId;
        watchedNanos = OptionalLong.empty();
    }

    /** When that event came; empty until then. */
    OptionalLong watchedNanos() {
        return watchedNanos;
    }

    /** Every image that has been tagged, by image id. */
    Map<String, Known> known() {
        return known;
    }

    /** Uploads until {@code until} images have been uploaded in all, and returns when all are tagged. */
    void upload(long until, int window) {
        while ((uploads < until || !underWay.isEmpty()) && !stopped.getAsBoolean()) {
            fill(window, until);
            take(Latencies.none());
        }
    }

    /** Uploads every photo once and returns their latest events, in the order of the photos. */
    List<Known> uploadEach(int window) {
        uploads = (uploads + photos.size() - 1) / photos.size() * photos.size();
        long first = uploads;
        upload(first + photos.size(), window);
        List<Known> each = new ArrayList<>();
        for (long number = first; number < uploads; number++) {
            each.add(known.get(id(number)));
        }
        return each;
    }

    /**
     * Like {@link #saturate(Duration, int, Runnable)}, but keeps fewer images under way if the measurement is short.
     */
    Speed saturate(Duration duration, int window) {
        long fitting = window * duration.toMillis() / SHORT.toMillis();
        return saturate(duration, (int) Math.max(1, Math.min(window, fitting)), () -> {});
    }

    /**
     * Keeps {@code window} images under way and measures between two arrivals of committed events, after the run-up.
     * Returns when all are tagged.
     *
     * @param atStart called when the measurement begins
     */
    Speed saturate(Duration duration, int window, Runnable atStart) {
        Duration runUp = duration.compareTo(RUN_UP) < 0 ? duration : RUN_UP;
        long from = System.nanoTime() + runUp.toNanos();
        long until = from + duration.toNanos();
        long firstNanos = 0;
        long firstCpu = 0;
        Speed speed = Speed.NONE;
        long counted = 0;
        // on a busy machine, a short measurement may get no events
        while ((System.nanoTime() < until || (speed.images() == 0 && System.nanoTime() < until + PATIENCE.toNanos()))
                && !stopped.getAsBoolean()) {
            fill(window, Long.MAX_VALUE);
            int arrived = take(Latencies.none());
            if (arrived == 0 || System.nanoTime() < from) {
                continue;
            }
            if (firstNanos == 0) {
                firstNanos = System.nanoTime();
                firstCpu = cpuNanos.getAsLong();
                atStart.run();
            } else {
                counted += arrived;
                speed = new Speed(counted, System.nanoTime() - firstNanos, cpuNanos.getAsLong() - firstCpu);
            }
        }
        drain(Latencies.none());
        if (speed.images() == 0 && !stopped.getAsBoolean()) {
            throw OperatorException.failed("no images were finished in %d s; run with --verbose to see why"
                    .formatted(duration.plus(PATIENCE).toSeconds()));
        }
        return speed;
    }

    /**
     * Every image's times.
     *
     * @param total from the time that the upload was due to its committed event
     * @param commit the part of that from the writing of the event
     */
    record Latencies(List<Duration> total, List<Duration> commit) {
        private static Latencies none() {
            return new Latencies(new ArrayList<>(), new ArrayList<>());
        }
    }

    /**
     * Uploads at an even rate and returns every image's times.
     *
     * @param meanwhile called a few hundred times a second
     * @param over whether to end
     */
    Latencies atRate(double imagesPerSecond, BooleanSupplier over, Runnable meanwhile) {
        Latencies latencies = Latencies.none();
        long began = System.nanoTime();
        long sent = 0;
        while (!over.getAsBoolean() && !stopped.getAsBoolean()) {
            // due, not sent: a delayed sender must not make the figures look better
            long due = began + (long) (sent * 1e9 / imagesPerSecond);
            while (due <= System.nanoTime()) {
                submit(due);
                sent++;
                due = began + (long) (sent * 1e9 / imagesPerSecond);
            }
            take(latencies);
            meanwhile.run();
        }
        drain(latencies);
        return latencies;
    }

    /** Reads briefly, without uploading. */
    void read() {
        take(Latencies.none());
    }

    private void fill(int window, long most) {
        while (underWay.size() < window && uploads < most) {
            submit(System.nanoTime());
        }
    }

    private static String id(long number) {
        return "image-" + number;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // an unwritten image shows as a missing outcome
    private void submit(long due) {
        int photo = (int) (uploads % photos.size());
        String id = id(uploads++);
        underWay.put(id, new Upload(photo, due));
        producer.send(new ProducerRecord<>(
                topic,
                id,
                ImageReference.newBuilder()
                        .setUri(photos.get(photo).uri().toString())
                        .build()));
    }

    /** Takes the events that have arrived; returns how many are of uploads. */
    private int take(Latencies latencies) {
        int arrived = 0;
        for (ImageOutcome outcome : reader.poll(TURN, Uploads::fail)) {
            String id = outcome.imageId();
            Upload upload = underWay.remove(id);
            if (!(outcome instanceof ImageOutcome.Tagged tagged)) {
                throw OperatorException.failed("%s was not tagged: %s".formatted(outcome.uri(), outcome));
            }
            if (watchedNanos.isEmpty()
                    && tagged.event().getTags().stream()
                            .anyMatch(tag -> tag.getLabelId().equals(watched))) {
                watchedNanos = OptionalLong.of(System.nanoTime());
            }
            if (upload != null) {
                known.put(id, new Known(upload.photo(), tagged.event()));
                check.accept(tagged.event(), upload.photo());
                latencies.total().add(Duration.ofNanos(System.nanoTime() - upload.dueNanos()));
                latencies.commit().add(Duration.between(tagged.event().getTaggedAt(), Instant.now()));
                arrived++;
            } else {
                known.computeIfPresent(id, (image, before) -> new Known(before.photo(), tagged.event()));
                events++;
                lastEventNanos = System.nanoTime();
            }
        }
        return arrived;
    }

    private static void fail(String complaint) {
        throw OperatorException.failed(complaint);
    }

    private void drain(Latencies latencies) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!underWay.isEmpty() && !stopped.getAsBoolean()) {
            take(latencies);
            if (System.nanoTime() > deadline) {
                throw OperatorException.failed("%d images had no outcome after %d s; run with --verbose to see why"
                        .formatted(underWay.size(), PATIENCE.toSeconds()));
            }
        }
    }

    @Override
    public void close() {
        producer.close();
        reader.close();
    }
}
