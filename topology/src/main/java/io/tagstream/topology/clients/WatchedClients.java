/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import io.tagstream.topology.waits.Copies;
import io.tagstream.topology.waits.Progress;
import io.tagstream.topology.waits.Progress.Reading;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka clients that report to {@link Progress}: what main consumers have read, and what producers have committed; and
 * to {@link Copies}, how far the consumers that restore state have come. They log which records were deleted before they were read.
 *
 * <p><i>Threading notes.</i> The same as for the clients that it wraps.
 */
public final class WatchedClients extends ForwardingClients {
    private static final Logger log = LoggerFactory.getLogger(WatchedClients.class);

    private final Progress progress;
    private final Copies copies;

    public WatchedClients(KafkaClientSupplier clients, Progress progress, Copies copies) {
        super(clients);
        this.progress = progress;
        this.copies = copies;
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
        progress.client(String.valueOf(config.get(CommonClientConfigs.CLIENT_ID_CONFIG)));
        WatchedConsumer watched = new WatchedConsumer(super.getConsumer(config), progress);
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                WatchedClients.class.getClassLoader(),
                new Class<?>[] {Consumer.class},
                (proxy, method, arguments) -> watched.call(method, arguments));
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> config) {
        WatchedRestore watched = new WatchedRestore(super.getRestoreConsumer(config), copies);
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                WatchedClients.class.getClassLoader(),
                new Class<?>[] {Consumer.class},
                (proxy, method, arguments) -> watched.call(method, arguments));
    }

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        WatchedProducer watched = new WatchedProducer(super.getProducer(config), progress);
        return (Producer<byte[], byte[]>) Proxy.newProxyInstance(
                WatchedClients.class.getClassLoader(),
                new Class<?>[] {Producer.class},
                (proxy, method, arguments) -> watched.call(method, arguments));
    }

    private static Object invoke(Object client, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(client, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static final class WatchedConsumer {
        /** Reports of nothing but positions are this rare: a thread polls a hundred times a second when idle. */
        private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

        private final Consumer<byte[], byte[]> consumer;
        private final Progress progress;
        private final Map<TopicPartition, Long> delivered = new HashMap<>();
        private long reportedAt = System.nanoTime() - INTERVAL_NANOS;

        WatchedConsumer(Consumer<byte[], byte[]> consumer, Progress progress) {
            this.consumer = consumer;
            this.progress = progress;
        }

        Object call(Method method, Object[] arguments) throws Throwable {
            if (method.getName().equals("close")) {
                progress.closed(this);
            }
            boolean polls = method.getName().equals("poll");
            if (polls) {
                progress.pollBegins(this);
            }
            Object result;
            try {
                result = invoke(consumer, method, arguments);
            } catch (OffsetOutOfRangeException e) { // Kafka Streams continues from the beginning
                tellOfLoss(e.offsetOutOfRangePartitions());
                throw e;
            } finally {
                if (polls) {
                    progress.pollEnds(this);
                }
            }
            if (result instanceof ConsumerRecords<?, ?> records) {
                report(records);
            }
            return result;
        }

        private void tellOfLoss(Map<TopicPartition, Long> positions) {
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(positions.keySet());
            positions.forEach((partition, position) -> {
                long begin = begins.get(partition);
                if (begin > position) {
                    log.error(
                            "Records of {} were deleted before they were read: offsets {} to {}. Submit images again"
                                    + " that have no outcome, and let topics keep their records for longer"
                                    + " (retention.ms)",
                            partition,
                            position,
                            begin - 1);
                } else {
                    log.error(
                            "{} was read up to offset {} and ends before it now: it was emptied or created anew. It is"
                                    + " read from its beginning. Submit images again that have no outcome",
                            partition,
                            position);
                }
            });
        }

        private void report(ConsumerRecords<?, ?> records) {
            long now = System.nanoTime();
            if (records.isEmpty() && now - reportedAt < INTERVAL_NANOS) {
                return;
            }
            reportedAt = now;
            for (TopicPartition partition : records.partitions()) {
                List<? extends ConsumerRecord<?, ?>> found = records.records(partition);
                delivered.put(partition, found.get(found.size() - 1).offset() + 1);
            }
            Map<TopicPartition, Reading> readings = new HashMap<>();
            for (TopicPartition partition : consumer.assignment()) {
                readings.put(partition, new Reading(position(partition), delivered.getOrDefault(partition, -1L)));
            }
            delivered.keySet().retainAll(readings.keySet());
            progress.read(this, Map.copyOf(readings));
        }

        /** The position, -1 if it is not known yet: asking for it would then wait for the cluster. */
        private long position(TopicPartition partition) {
            return consumer.currentLag(partition).isPresent()
                    ? consumer.position(partition, Duration.ofSeconds(1))
                    : -1;
        }
    }

    private static final class WatchedRestore {
        private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

        private final Consumer<byte[], byte[]> consumer;
        private final Copies copies;
        private long reportedAt = System.nanoTime() - INTERVAL_NANOS;

        WatchedRestore(Consumer<byte[], byte[]> consumer, Copies copies) {
            this.consumer = consumer;
            this.copies = copies;
        }

        Object call(Method method, Object[] arguments) throws Throwable {
            Object result = invoke(consumer, method, arguments);
            switch (method.getName()) {
                case "close" -> copies.closed(this);
                case "assign", "unsubscribe" -> report();
                case "poll" -> {
                    if (System.nanoTime() - reportedAt >= INTERVAL_NANOS) {
                        report();
                    }
                }
                default -> {
                    // nothing else changes what is read
                }
            }
            return result;
        }

        private void report() {
            reportedAt = System.nanoTime();
            Map<TopicPartition, OptionalLong> lags = new HashMap<>();
            for (TopicPartition changelog : consumer.assignment()) {
                lags.put(changelog, consumer.currentLag(changelog));
            }
            copies.read(this, lags);
        }
    }

    private static final class WatchedProducer {
        private final Producer<byte[], byte[]> producer;
        private final Progress progress;
        private final Map<TopicPartition, Long> offsets = new HashMap<>();

        WatchedProducer(Producer<byte[], byte[]> producer, Progress progress) {
            this.producer = producer;
            this.progress = progress;
        }

        Object call(Method method, Object[] arguments) throws Throwable {
            if (method.getName().equals("send") && arguments.length == 2) {
                arguments[1] = watched((Callback) arguments[1]);
            }
            Object result;
            try {
                result = invoke(producer, method, arguments);
            } catch (ProducerFencedException | InvalidProducerEpochException | CommitFailedException e) {
                progress.fenced(e.getMessage());
                throw e;
            }
            switch (method.getName()) {
                case "beginTransaction" -> {
                    offsets.clear();
                    progress.begun();
                }
                case "sendOffsetsToTransaction" -> add(arguments[0]);
                case "commitTransaction" -> {
                    progress.committed(offsets);
                    offsets.clear();
                }
                default -> {
                    // nothing else makes progress
                }
            }
            return result;
        }

        private Callback watched(Callback callback) {
            return (metadata, failure) -> {
                if (failure instanceof ProducerFencedException) {
                    progress.fenced(failure.getMessage());
                }
                callback.onCompletion(metadata, failure);
            };
        }

        private void add(Object sent) {
            ((Map<?, ?>) sent)
                    .forEach((partition, offset) ->
                            offsets.put((TopicPartition) partition, ((OffsetAndMetadata) offset).offset()));
        }
    }
}
