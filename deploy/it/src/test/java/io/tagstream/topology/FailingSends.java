/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/**
 * Kafka clients that fail to write to a topic when told to: either at once, which is a processing error, or when the
 * broker answers, which is a production error.
 */
final class FailingSends extends DefaultKafkaClientSupplier {
    private final String topic;
    private final AtomicBoolean atOnce = new AtomicBoolean();
    private final AtomicBoolean later = new AtomicBoolean();
    private final AtomicInteger failed = new AtomicInteger();

    FailingSends(String topic) {
        this.topic = topic;
    }

    void failNextAtOnce() {
        atOnce.set(true);
    }

    void failNextLater() {
        later.set(true);
    }

    int failed() {
        return failed.get();
    }

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        Producer<byte[], byte[]> producer = super.getProducer(config);
        return (Producer<byte[], byte[]>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("send")
                            && ((ProducerRecord<?, ?>) arguments[0]).topic().equals(topic)) {
                        if (atOnce.compareAndSet(true, false)) {
                            failed.incrementAndGet();
                            throw new KafkaException("The record cannot be sent (simulated by this test)");
                        }
                        if (later.compareAndSet(true, false)) {
                            failed.incrementAndGet();
                            Exception refusal =
                                    new UnknownServerException("The broker refused (simulated by this test)");
                            ((Callback) arguments[1]).onCompletion(null, refusal);
                            return CompletableFuture.failedFuture(refusal);
                        }
                    }
                    try {
                        return method.invoke(producer, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
