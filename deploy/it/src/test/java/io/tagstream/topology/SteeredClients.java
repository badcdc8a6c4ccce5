/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/** Kafka clients with faults that last until they are mended. */
final class SteeredClients extends DefaultKafkaClientSupplier {
    /** What clients can suffer from. */
    enum Fault {
        /** Main consumers get nothing and join no group. */
        NO_INPUT,
        /** The consumers that restore state get nothing. */
        NO_STATE,
        /** Producers' commits time out. */
        LATE_COMMITS,
        /** Producers refuse to send. */
        REFUSED_SENDS,
        /** Producers take 5 ms for each record that they send. */
        SLOW_SENDS
    }

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final Set<Fault> faults = ConcurrentHashMap.newKeySet();

    SteeredClients suffering(Fault fault) {
        faults.add(fault);
        return this;
    }

    void mend() {
        faults.clear();
    }

    @Override
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
        return starved(super.getConsumer(config), Fault.NO_INPUT);
    }

    @Override
    public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> config) {
        return starved(super.getRestoreConsumer(config), Fault.NO_STATE);
    }

    @SuppressWarnings("unchecked")
    private Consumer<byte[], byte[]> starved(Consumer<byte[], byte[]> consumer, Fault fault) {
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Consumer.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("poll") && faults.contains(fault)) {
                        LockSupport.parkNanos(PAUSE_NANOS);
                        return ConsumerRecords.empty();
                    }
                    try {
                        return method.invoke(consumer, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        Producer<byte[], byte[]> producer = super.getProducer(config);
        return (Producer<byte[], byte[]>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("commitTransaction") && faults.contains(Fault.LATE_COMMITS)) {
                        throw new TimeoutException("The broker did not answer in time (simulated by this test)");
                    }
                    if (method.getName().equals("send") && faults.contains(Fault.SLOW_SENDS)) {
                        LockSupport.parkNanos(PAUSE_NANOS);
                    }
                    if (method.getName().equals("send") && faults.contains(Fault.REFUSED_SENDS)) {
                        throw new KafkaException("The record cannot be sent (simulated by this test)");
                    }
                    try {
                        return method.invoke(producer, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
