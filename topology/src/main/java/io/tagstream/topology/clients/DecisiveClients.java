/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * Kafka clients whose producers treat a transaction that could not be ended in time as lost.
 *
 * <p>Kafka Streams 4.3.1 revives a task whose commit timed out, and keeps the offset up to which the task's input had
 * been read. If the revived task commits before it has read anything again, as it does when there is an outcome to
 * write or a rebalance, it commits that offset: records that had been read but not processed are skipped, and lost.
 * Being fenced is handled soundly: tasks are recreated and read from the committed offset, after a new producer has
 * found out or decided how the transaction ended.
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
                DecisiveClients.class.getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(producer, arguments);
                    } catch (InvocationTargetException e) {
                        if (e.getCause() instanceof TimeoutException late && ENDS.contains(method.getName())) {
                            throw lost(late);
                        }
                        throw e.getCause();
                    }
                });
    }

    private static ProducerFencedException lost(TimeoutException late) {
        ProducerFencedException lost = new ProducerFencedException(
                "The transaction did not end in time, so its producer is abandoned: " + late.getMessage());
        lost.initCause(late);
        return lost;
    }
}
