/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * Kafka clients whose producers treat a transaction as lost that could not be ended in time, or lacks a record that could
 * not be sent in time.
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
 * <p><i>Threading notes.</i> The same as for the clients that it wraps.
 */
public final class DecisiveClients extends ForwardingClients {
    private static final Set<String> ENDS = Set.of("sendOffsetsToTransaction", "commitTransaction");

    /** {@code clients} makes the clients. */
    public DecisiveClients(KafkaClientSupplier clients) {
        super(clients);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        Producer<byte[], byte[]> producer = super.getProducer(config);
        return (Producer<byte[], byte[]>) Proxy.newProxyInstance(
                DecisiveClients.class.getClassLoader(),
                new Class<?>[] {Producer.class},
                (proxy, method, arguments) -> call(producer, method, arguments));
    }

    private static Object call(Producer<byte[], byte[]> producer, Method method, Object[] arguments) throws Throwable {
        if (method.getName().equals("send") && arguments.length == 2) {
            arguments[1] = decisive((Callback) arguments[1]);
        }
        try {
            return method.invoke(producer, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof TimeoutException late && ENDS.contains(method.getName())) {
                throw lost("The transaction did not end in time", late);
            }
            throw e.getCause();
        }
    }

    /** Kafka Streams passes a callback to learn of failures; it closes one task if the failure may pass. */
    private static Callback decisive(Callback callback) {
        return (metadata, failure) -> callback.onCompletion(
                metadata,
                failure instanceof RetriableException ? lost("A record could not be sent in time", failure) : failure);
    }

    private static ProducerFencedException lost(String what, Exception why) {
        ProducerFencedException lost =
                new ProducerFencedException("%s, so its producer is abandoned: %s".formatted(what, why.getMessage()));
        lost.initCause(why);
        return lost;
    }
}
