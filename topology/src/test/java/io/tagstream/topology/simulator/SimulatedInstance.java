/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.ClusterControl;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.tagging.SimulatedTagging;
import io.tagstream.topology.tagging.TaggingContext;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.vocabulary.VocabularyProcessor;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.processor.api.Record;

/**
 * An instance of Tagstream: two stream threads, one for images and one for labels, a model, and a vocabulary that is
 * read as the driver says. It lives from {@link #start} to {@link #stop} or {@link #kill}.
 */
final class SimulatedInstance {
    private static final long NEVER = Long.MAX_VALUE;

    private final SimulatedCluster cluster;
    private final int number;

    private boolean running;
    private boolean frozen;
    private int life;
    private int generation = 1;
    /** The newest control record that it has read. */
    private ClusterControl control;

    private SimulatedModel model;
    private Vocabulary vocabulary;
    private VocabularyProcessor vocabularyProcessor;
    private TaggingContext shared;
    private SimulatedThread images;
    private SimulatedThread labels;
    private Consumer<byte[], byte[]> consumer;
    private final Set<TopicPartition> paused = new HashSet<>();

    /** Where the vocabulary is read next, in the label-embeddings topic of the start. */
    private long embeddingsPosition;

    private String embeddingsId;

    /** When it notices that a topic is another, and restarts. */
    private long restartsAt = NEVER;

    SimulatedInstance(SimulatedCluster cluster, int number) {
        this.cluster = cluster;
        this.number = number;
    }

    SimulatedCluster cluster() {
        return cluster;
    }

    boolean isRunning() {
        return running;
    }

    boolean isFrozen() {
        return frozen;
    }

    /** Whether it does what it is told to do. */
    boolean isAtWork() {
        return running && !frozen;
    }

    int life() {
        return life;
    }

    ClusterControl control() {
        return control;
    }

    /** Whether its bundle is in force, as far as it knows. */
    boolean isBundleInForce() {
        return control.getBundle().equals(Controls.release(cluster.model(generation)));
    }

    /** Reads the newest control record; takes tasks or gives them all back, if its bundle is in force now or no longer. */
    void readControl() {
        boolean before = isBundleInForce();
        control = cluster.control();
        if (before && !isBundleInForce()) {
            images.close();
            cluster.leave(images);
        } else if (!before && isBundleInForce()) {
            vocabulary.require(control.getRevision());
            cluster.join(images);
        }
    }

    int generation() {
        return generation;
    }

    SimulatedModel model() {
        return model;
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    TaggingContext shared() {
        return shared;
    }

    SimulatedThread images() {
        return images;
    }

    SimulatedThread labels() {
        return labels;
    }

    /** Starts with a release of the model, joins the groups, and takes tasks that nobody has. */
    void start(int modelGeneration) {
        generation = modelGeneration;
        control = cluster.control();
        life = cluster.beginLife(this);
        ModelDescription description = cluster.model(generation);
        model = new SimulatedModel(description, cluster.settings().room());
        vocabulary = new Vocabulary(
                cluster.config().topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                description,
                cluster.contracts().labelEmbedding().deserializer(),
                cluster.config()::selection);
        vocabularyProcessor = new VocabularyProcessor(vocabulary);
        TopicReader.Contents labelTopic = cluster.broker().read(cluster.config().topic(TagstreamConfig.LABELS_TOPIC));
        vocabulary.require(labelTopic.topicId(), labelTopic.newestOffset(), control.getRevision());
        Inflow inflow = new Inflow();
        shared = SimulatedTagging.context(
                cluster.config(), cluster.contracts(), vocabulary, model, inflow, cluster::nanoTime);
        paused.clear();
        consumer = inflow.over(clients()).getConsumer(Map.of());
        restartsAt = NEVER;
        embeddingsPosition = 0;
        embeddingsId = cluster.broker().topicId(cluster.config().topic(TagstreamConfig.EMBEDDINGS_TOPIC));
        running = true;
        frozen = false;
        readVocabulary(Integer.MAX_VALUE);
        images = new SimulatedThread(this, cluster.imagesGroup());
        labels = new SimulatedThread(this, cluster.labelsGroup(description.textFingerprint()));
        cluster.expireTheDead();
        cluster.join(images);
        cluster.join(labels);
    }

    private KafkaClientSupplier clients() {
        return (KafkaClientSupplier) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {KafkaClientSupplier.class},
                (proxy, method, arguments) -> consumer());
    }

    /** A consumer that only knows which partitions it has and which are paused. */
    @SuppressWarnings("unchecked")
    private Consumer<byte[], byte[]> consumer() {
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Consumer.class}, (proxy, method, arguments) -> {
                    return switch (method.getName()) {
                        case "poll" -> ConsumerRecords.empty();
                        case "assignment" -> assignment();
                        case "paused" -> Set.copyOf(paused);
                        case "pause" -> {
                            paused.addAll((Collection<TopicPartition>) arguments[0]);
                            yield null;
                        }
                        case "resume" -> {
                            paused.removeAll((Collection<TopicPartition>) arguments[0]);
                            yield null;
                        }
                        default -> throw new UnsupportedOperationException(method.getName());
                    };
                });
    }

    private Set<TopicPartition> assignment() {
        return images.tasks().stream().map(SimulatedTask::input).collect(Collectors.toSet());
    }

    /** Polls a thread's consumer; returns the partitions that it may not read from. */
    Set<TopicPartition> poll(SimulatedThread thread) {
        if (thread == labels) {
            return Set.of();
        }
        paused.retainAll(assignment());
        consumer.poll(Duration.ZERO);
        return paused;
    }

    /** Reads more of label-embeddings, as the global thread does. */
    void readVocabulary(int most) {
        String topic = cluster.config().topic(TagstreamConfig.EMBEDDINGS_TOPIC);
        if (!cluster.broker().topicId(topic).equals(embeddingsId)) {
            return;
        }
        for (int read = 0; read < most; read++) {
            Optional<ConsumerRecord<byte[], byte[]>> next =
                    cluster.broker().next(new TopicPartition(topic, 0), embeddingsPosition);
            if (next.isEmpty()) {
                return;
            }
            embeddingsPosition = next.get().offset() + 1;
            vocabularyProcessor.process(new Record<>(
                    next.get().key(), next.get().value(), next.get().timestamp()));
        }
    }

    /** Whether it has read all of label-embeddings. */
    boolean hasReadVocabulary() {
        String topic = cluster.config().topic(TagstreamConfig.EMBEDDINGS_TOPIC);
        return cluster.broker().topicId(topic).equals(embeddingsId)
                && cluster.broker()
                        .next(new TopicPartition(topic, 0), embeddingsPosition)
                        .isEmpty();
    }

    /** It will notice in a while that a topic was recreated, and restart. */
    void willNoticeAnotherTopic(long at) {
        restartsAt = Math.min(restartsAt, at);
    }

    /** Whether it knows nothing of a topic that was recreated. */
    boolean knowsItsTopics() {
        return restartsAt == NEVER;
    }

    /** Restarts if it has noticed that a topic was recreated. */
    void watchTopics() {
        if (isAtWork() && restartsAt <= cluster.now()) {
            stop();
            start(generation);
        }
    }

    /** Stops in order: commits, closes its tasks and leaves the groups. */
    void stop() {
        vocabulary.close();
        for (SimulatedThread thread : List.of(images, labels)) {
            thread.close();
            cluster.leave(thread);
        }
        running = false;
    }

    /** Dies at once, with all it had in memory; nobody knows yet. */
    void kill() {
        running = false;
        frozen = false;
    }

    void freeze() {
        frozen = true;
    }

    void thaw() {
        frozen = false;
    }

    @Override
    public String toString() {
        return "instance " + number;
    }
}
