/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * Holds back input partitions whose tasks owe as many outcomes as they may: the partitions are paused in the consumer,
 * as Kafka Streams itself does with partitions whose buffers are full, and polled again later. So no task has to wait
 * in {@code process()}, which would make every other task of its thread wait too, transactions included.
 *
 * <p>Records that were polled before still arrive: up to {@code buffered.records.per.partition} plus one
 * {@code max.poll.records}. Under the {@code streams} group protocol (KIP-1071) Kafka Streams makes the consumer itself
 * and nothing could be held back, so the configuration refuses that protocol.
 *
 * <p><i>Threading notes.</i> {@link #hold} and {@link #release} may be called from any thread; each consumer is used by its
 * stream thread.
 */
public final class Inflow {
    private final Set<TopicPartition> full = ConcurrentHashMap.newKeySet();

    /** Stops polling a partition until it is released. */
    public void hold(TopicPartition partition) {
        full.add(partition);
    }

    /** Polls a partition again. */
    public void release(TopicPartition partition) {
        full.remove(partition);
    }

    /** Whether a partition is held back. */
    public boolean holds(TopicPartition partition) {
        return full.contains(partition);
    }

    /** The number of partitions that are held back. */
    public int held() {
        return full.size();
    }

    /** Clients whose main consumers hold partitions back. */
    public KafkaClientSupplier over(KafkaClientSupplier clients) {
        return new ForwardingClients(clients) {
            @Override
            public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
                return holding(super.getConsumer(config));
            }
        };
    }

    @SuppressWarnings("unchecked")
    Consumer<byte[], byte[]> holding(Consumer<byte[], byte[]> consumer) {
        Hold hold = new Hold(consumer);
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                Inflow.class.getClassLoader(),
                new Class<?>[] {Consumer.class},
                (proxy, method, arguments) -> hold.call(method, arguments));
    }

    /** A consumer's partitions: the ones that Kafka Streams has paused, and the ones that are held back here. */
    private final class Hold {
        private final Consumer<byte[], byte[]> consumer;
        private final Set<TopicPartition> pausedByStreams = new HashSet<>();
        private final Set<TopicPartition> held = new HashSet<>();

        Hold(Consumer<byte[], byte[]> consumer) {
            this.consumer = consumer;
        }

        Object call(Method method, Object[] arguments) throws Throwable {
            Object[] passed = arguments;
            switch (method.getName()) {
                case "poll" -> holdBack();
                case "pause" -> pausedByStreams.addAll(partitions(arguments));
                case "resume" -> {
                    pausedByStreams.removeAll(partitions(arguments));
                    Set<TopicPartition> resumed = new HashSet<>(partitions(arguments));
                    resumed.removeAll(held);
                    passed = new Object[] {resumed};
                }
                default -> {
                    // everything else is left to the consumer
                }
            }
            try {
                return method.invoke(consumer, passed);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }

        @SuppressWarnings("unchecked")
        private static Collection<TopicPartition> partitions(Object[] arguments) {
            return (Collection<TopicPartition>) arguments[0];
        }

        private void holdBack() {
            if (full.isEmpty() && held.isEmpty()) {
                return;
            }
            Set<TopicPartition> assigned = consumer.assignment();
            pausedByStreams.retainAll(assigned);
            held.retainAll(assigned);
            Set<TopicPartition> toHold = new HashSet<>(full);
            toHold.retainAll(assigned);
            Set<TopicPartition> toRelease = new HashSet<>(held);
            toRelease.removeAll(toHold);
            held.clear();
            held.addAll(toHold);
            // a partition that was revoked and came back is no longer paused
            toHold.removeAll(consumer.paused());
            toRelease.removeAll(pausedByStreams);
            consumer.pause(toHold);
            consumer.resume(toRelease);
        }
    }
}
