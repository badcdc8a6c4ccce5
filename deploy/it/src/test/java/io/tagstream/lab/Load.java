/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.cluster.topics.TopicKeys;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Does what users do during a round: submits images, submits them again while they are in flight, deletes them, submits
 * some that cannot be tagged or read, and edits the vocabulary.
 *
 * <p><i>Threading notes.</i> {@link #start} starts a thread that submits until {@link #finish}. Meanwhile the round's
 * thread may edit labels: both threads hold this object's monitor while they draw and send. Sending waits only for the
 * producer's buffer.
 */
final class Load implements AutoCloseable {
    private static final List<String> NAMES =
            List.of("heron", "dog", "car", "tree", "boat", "cat", "lamp", "bridge", "rose", "owl");
    private static final int IDS = 150;
    private static final int DELIVERY_TIMEOUT_MILLIS = 300_000;

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final NewerReference newer;
    private final String imageUrl;
    private final int perSecond;
    private final int editEveryMillis;
    private final KafkaProducer<String, byte[]> producer;
    private final Thread thread = new Thread(this::submitUntilFinished, "lab-load");
    private final CompletableFuture<Void> failure = new CompletableFuture<>();
    private volatile boolean finished;
    private volatile BiConsumer<Long, String> accepted = (number, id) -> {};

    /** Guarded by this. */
    private final SplittableRandom random;

    /** Guarded by this. */
    private final List<Future<RecordMetadata>> images = new ArrayList<>();

    /** Guarded by this. */
    private final List<Future<RecordMetadata>> labels = new ArrayList<>();

    /** Guarded by this. */
    private long sequence;

    Load(
            TagstreamConfig config,
            SchemaRegistry registry,
            Contracts contracts,
            String imageUrl,
            int perSecond,
            int editEveryMillis,
            SplittableRandom random) {
        this.newer = new NewerReference(registry, config.topic(TagstreamConfig.IMAGES_TOPIC));
        this.config = config;
        this.contracts = contracts;
        this.imageUrl = imageUrl;
        this.perSecond = perSecond;
        this.editEveryMillis = editEveryMillis;
        this.random = random;
        this.producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        String.join(",", config.getList(TagstreamConfig.BOOTSTRAP_SERVERS)),
                        ProducerConfig.LINGER_MS_CONFIG,
                        2,
                        ProducerConfig.MAX_BLOCK_MS_CONFIG,
                        DELIVERY_TIMEOUT_MILLIS,
                        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                        DELIVERY_TIMEOUT_MILLIS),
                new StringSerializer(),
                new ByteArraySerializer());
    }

    /** From now on, tells somebody of each image and deletion that the broker has: its sequence number and its id. */
    void onAccepted(BiConsumer<Long, String> listener) {
        accepted = listener;
    }

    /**
     * Submits known images: their ids are not used again.
     *
     * @return how many there are
     */
    synchronized int addKnown(int count) {
        for (int i = 0; i < count; i++) {
            sequence++;
            image("known-" + i, Expectation.DATA + words());
        }
        return count;
    }

    /** Starts submitting. */
    void start() {
        thread.start();
    }

    private void submitUntilFinished() {
        try {
            long begin = System.nanoTime();
            long edits = 0;
            long submissions = 0;
            while (!finished) {
                long millis = (System.nanoTime() - begin) / 1_000_000;
                while (submissions * 1_000 < millis * perSecond) {
                    submissions += submit();
                }
                while ((edits + 1) * editEveryMillis < millis) {
                    editLabel();
                    edits++;
                }
                Thread.sleep(5);
            }
            failure.complete(null);
        } catch (RuntimeException | InterruptedException e) {
            failure.completeExceptionally(e);
        }
    }

    /** Submits an image, or the same one several times in a row; returns how many times. */
    private synchronized int submit() {
        double drawn = random.nextDouble();
        String id = "image-" + (int) (IDS * Math.pow(random.nextDouble(), 1.5)); // some come up often
        int times = random.nextInt(20) == 0 ? random.nextInt(2, 8) : 1;
        for (int i = 0; i < times; i++) {
            submit(id, drawn);
        }
        return times;
    }

    private void submit(String id, double drawn) {
        sequence++;
        if (drawn < 0.60) {
            image(id, imageUrl + Expectation.WORDS_PATH + words());
        } else if (drawn < 0.78) {
            image(id, Expectation.DATA + words());
        } else if (drawn < 0.84) {
            send(id, null, true);
        } else if (drawn < 0.88) {
            image(id, imageUrl + Expectation.MISSING_PATH + sequence);
        } else if (drawn < 0.92) {
            image(id, imageUrl + Expectation.WORDS_PATH + words() + "+" + Words.CORRUPT);
        } else if (drawn < 0.96) {
            image(id, Expectation.UNKNOWN_SCHEME + sequence);
        } else if (drawn < 0.98) {
            send(id, ("not Avro " + sequence).getBytes(StandardCharsets.UTF_8), false);
        } else {
            send(null, ("no key " + sequence).getBytes(StandardCharsets.UTF_8), false);
        }
    }

    /** Some words, and one that only this image has. */
    private String words() {
        List<String> words = new ArrayList<>(List.of("n" + sequence));
        for (String name : NAMES) {
            if (random.nextInt(3) == 0) {
                words.add(name);
            }
        }
        return String.join("+", words);
    }

    private void image(String id, String uri) {
        String topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        if (random.nextInt(4) == 0) {
            send(id, newer.write(uri), true);
        } else {
            ImageReference reference = ImageReference.newBuilder().setUri(uri).build();
            send(id, contracts.imageReference().serializer().serialize(topic, reference), true);
        }
    }

    private void send(String id, byte[] value, boolean readable) {
        ProducerRecord<String, byte[]> submission =
                new ProducerRecord<>(config.topic(TagstreamConfig.IMAGES_TOPIC), partition(id), id, value);
        Sequences.put(submission, sequence);
        long number = sequence;
        boolean counts = id != null && readable;
        images.add(producer.send(submission, (metadata, failed) -> {
            if (counts && failed == null) {
                accepted.accept(number, id);
            }
        }));
    }

    /** If images are re-keyed, they come from a producer that does not partition as the Java producer does. */
    private Integer partition(String id) {
        return id != null && config.getBoolean(TagstreamConfig.IMAGES_REPARTITION)
                ? Math.floorMod(id.hashCode(), config.getInt(TopicKeys.TOPICS_PARTITIONS))
                : null;
    }

    /** Adds, changes, shadows or removes a label, or tries an edit that Tagstream refuses. */
    synchronized void editLabel() {
        int number = random.nextInt(NAMES.size());
        String id = "label-" + number;
        switch (random.nextInt(8)) {
            case 0 -> sendLabel(id, null);
            case 1 -> label(id, NAMES.get(random.nextInt(NAMES.size())), null, LabelState.ACTIVE);
            case 2 -> label(id, NAMES.get(number), null, LabelState.SHADOW);
            case 3 -> label(id, NAMES.get(number), 0.2, LabelState.ACTIVE);
            case 4 -> label(id, NAMES.get(number), 2.0, LabelState.ACTIVE);
            case 5 -> sendLabel(id, "not Avro".getBytes(StandardCharsets.UTF_8));
            default -> label(id, NAMES.get(number), 0.8, LabelState.ACTIVE);
        }
    }

    /** Adds the initial labels. */
    synchronized void addLabels() {
        for (int i = 0; i < NAMES.size(); i += 2) {
            label("label-" + i, NAMES.get(i), null, LabelState.ACTIVE);
        }
    }

    /** Adds one more label, for which every known image must be scored from its features. */
    synchronized void addLastLabel() {
        label("a-last-label", NAMES.get(random.nextInt(NAMES.size())), null, LabelState.ACTIVE);
    }

    private void label(String id, String name, Double threshold, LabelState state) {
        Label label = Label.newBuilder()
                .setName(name)
                .setThreshold(threshold)
                .setState(state)
                .build();
        sendLabel(id, contracts.label().serializer().serialize(config.topic(TagstreamConfig.LABELS_TOPIC), label));
    }

    private void sendLabel(String id, byte[] value) {
        labels.add(producer.send(new ProducerRecord<>(config.topic(TagstreamConfig.LABELS_TOPIC), id, value)));
    }

    /** Ends the load and waits until the broker has received all of it. */
    void finish() throws InterruptedException, ExecutionException {
        finished = true;
        failure.get();
        List<Future<RecordMetadata>> submitted;
        synchronized (this) {
            submitted = List.copyOf(images);
        }
        for (Future<RecordMetadata> submission : submitted) {
            submission.get();
        }
    }

    /** How many times the vocabulary was edited. */
    synchronized int edits() {
        return labels.size();
    }

    /** How many submissions there have been. */
    synchronized long submissions() {
        return sequence;
    }

    /** Waits for the vocabulary's newest offset and returns it; -1 if the vocabulary was never written. */
    long vocabularyEnd() throws InterruptedException, ExecutionException {
        List<Future<RecordMetadata>> edits;
        synchronized (this) {
            edits = List.copyOf(labels);
        }
        return edits.isEmpty() ? -1 : edits.get(edits.size() - 1).get().offset();
    }

    @Override
    public void close() throws InterruptedException {
        finished = true;
        thread.interrupt();
        thread.join();
        producer.close(Duration.ZERO);
    }
}
