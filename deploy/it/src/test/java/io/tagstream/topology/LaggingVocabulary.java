/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/** Kafka clients of an instance that stops reading label-embeddings while it is told to lag behind. */
final class LaggingVocabulary extends DefaultKafkaClientSupplier {
    private final AtomicBoolean lagging = new AtomicBoolean();

    void lag(boolean lag) {
        lagging.set(lag);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getGlobalConsumer(Map<String, Object> config) {
        Consumer<byte[], byte[]> consumer = super.getGlobalConsumer(config);
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Consumer.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("poll") && lagging.get()) {
                        return ConsumerRecords.empty();
                    }
                    try {
                        return method.invoke(consumer, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
