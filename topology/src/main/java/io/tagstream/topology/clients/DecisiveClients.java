/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * Kafka clients whose producers send what a transaction still lacks once, when it ends, and nothing if it is empty; and
 * treat a transaction as lost that could not be ended in time, or lacks a record that could not be sent in time.
 *
 * <p>Kafka Streams 4.3.1 closes only some of a thread's tasks in these cases, although all of them share the transaction:
 *
 * <ul>
 *   <li>It revives a task whose commit timed out, and keeps the offset up to which the task's input had been read. If
 *       the revived task commits before it has read anything again, as it does when there is an outcome to write or a
 *       rebalance, it commits that offset: records that had been read but not processed are skipped, and lost.
 *   <li>It closes the task whose record could not be sent, and aborts the transaction. The thread's other tasks go on
 *       with their positions and state, and commit them in the next transaction; what they had written in the aborted
 *       one is lost.
 * </ul>
 *
 * <p>Being fenced is handled soundly: all tasks of the thread are recreated and read from the committed offsets, after a
 * new producer has found out or decided how the transaction ended.
 *
 * <p>It also flushes the producer for each task before it commits all of them, one after the other. Each flush is a
 * request, and each request costs the broker about as much as a commit. Here, a flush does nothing, and the offsets,
 * which are sent after the last task's flush, are preceded by the only one.
 *
 * <p>And it commits after each punctuation, whether or not anything has changed. Here, a transaction without records
 * whose offsets are committed already is left without them: Kafka's producer ends it without a request.
 *
 * <p><i>Threading notes.</i> The same as for the clients that it wraps.
 */
public final class DecisiveClients extends ForwardingClients {
    /** {@code clients} makes the clients. */
    public DecisiveClients(KafkaClientSupplier clients) {
        super(clients);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        DecisiveProducer decisive = new DecisiveProducer(super.getProducer(config));
        return (Producer<byte[], byte[]>) Proxy.newProxyInstance(
                DecisiveClients.class.getClassLoader(),
                new Class<?>[] {Producer.class},
                (proxy, method, arguments) -> decisive.call(method, arguments));
    }

    /** Used by one stream thread; callbacks come from the producer's own thread. */
    private static final class DecisiveProducer {
        private final Producer<byte[], byte[]> producer;

        /** Why the transaction must not be committed; null if nothing speaks against it. */
        private final AtomicReference<ProducerFencedException> lost = new AtomicReference<>();

        /** Whether the transaction has a record. */
        private boolean hasRecord;

        /** The offsets of the transaction. */
        private final Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();

        /** The offsets that this producer committed last. */
        private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

        DecisiveProducer(Producer<byte[], byte[]> producer) {
            this.producer = producer;
        }

        Object call(Method method, Object[] arguments) throws Throwable {
            return switch (method.getName()) {
                case "flush" -> null;
                case "send" -> {
                    hasRecord = true;
                    if (arguments.length == 2) {
                        arguments[1] = decisive((Callback) arguments[1]);
                    }
                    yield invoke(method, arguments);
                }
                case "beginTransaction" -> {
                    lost.set(null);
                    hasRecord = false;
                    offsets.clear();
                    yield invoke(method, arguments);
                }
                case "sendOffsetsToTransaction" -> {
                    producer.flush();
                    if (lost.get() != null) {
                        throw lost.get();
                    }
                    yield sendOffsets(method, arguments);
                }
                case "commitTransaction" -> {
                    end(method, arguments);
                    committed.putAll(offsets);
                    yield null;
                }
                default -> invoke(method, arguments);
            };
        }

        @SuppressWarnings("unchecked") // the producer's own parameter
        private Object sendOffsets(Method method, Object[] arguments) throws Throwable {
            Map<TopicPartition, OffsetAndMetadata> read = (Map<TopicPartition, OffsetAndMetadata>) arguments[0];
            if (!hasRecord && committed.entrySet().containsAll(read.entrySet())) {
                return null;
            }
            end(method, arguments);
            offsets.putAll(read);
            return null;
        }

        private Object end(Method method, Object[] arguments) throws Throwable {
            try {
                return invoke(method, arguments);
            } catch (TimeoutException e) {
                throw lost("The transaction did not end in time", e);
            }
        }

        private Object invoke(Method method, Object[] arguments) throws Throwable {
            try {
                return method.invoke(producer, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }

        /** Kafka Streams passes a callback to learn of failures; it closes one task if the failure may pass. */
        private Callback decisive(Callback callback) {
            return (metadata, failure) -> {
                if (failure instanceof RetriableException) {
                    ProducerFencedException fenced = lost("A record could not be sent in time", failure);
                    lost.set(fenced);
                    callback.onCompletion(metadata, fenced);
                } else {
                    callback.onCompletion(metadata, failure);
                }
            };
        }

        private static ProducerFencedException lost(String what, Exception why) {
            ProducerFencedException lost = new ProducerFencedException(
                    "%s, so its producer is abandoned: %s".formatted(what, why.getMessage()));
            lost.initCause(why);
            return lost;
        }
    }
}
