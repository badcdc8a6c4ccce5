/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * How long stream threads wait for records before they run their punctuators. A thread whose tasks have work that goes
 * on without new records waits for a beat; any other waits for Kafka Streams' {@code poll.ms}, so that an idle instance
 * hardly uses the processor. Records end the wait at once.
 *
 * <p><i>Threading notes.</i> {@link #begin} is called by the stream thread that does the work, {@link Work#end} by any.
 */
public final class Pace {
    private final Duration beat;

    /** How many pieces of work each stream thread has. */
    private final ThreadLocal<AtomicInteger> work = ThreadLocal.withInitial(AtomicInteger::new);

    public Pace(Duration beat) {
        this.beat = beat;
    }

    /** Work that goes on without new records. */
    public static final class Work {
        private final AtomicInteger ofThread;
        private final AtomicBoolean ended = new AtomicBoolean();

        private Work(AtomicInteger ofThread) {
            this.ofThread = ofThread;
        }

        /** Does nothing if it has ended before. */
        public void end() {
            if (ended.compareAndSet(false, true)) {
                ofThread.decrementAndGet();
            }
        }
    }

    /** Work of the calling stream thread begins. */
    public Work begin() {
        AtomicInteger ofThread = work.get();
        ofThread.incrementAndGet();
        return new Work(ofThread);
    }

    /** Clients whose main consumers keep the pace. */
    public KafkaClientSupplier over(KafkaClientSupplier clients) {
        return new ForwardingClients(clients) {
            @Override
            public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
                return paced(super.getConsumer(config));
            }
        };
    }

    @SuppressWarnings("unchecked")
    Consumer<byte[], byte[]> paced(Consumer<byte[], byte[]> consumer) {
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                Pace.class.getClassLoader(),
                new Class<?>[] {Consumer.class},
                (proxy, method, arguments) -> call(consumer, method, arguments));
    }

    private Object call(Consumer<byte[], byte[]> consumer, Method method, Object[] arguments) throws Throwable {
        Object[] passed = method.getName().equals("poll") ? new Object[] {limited((Duration) arguments[0])} : arguments;
        try {
            return method.invoke(consumer, passed);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private Duration limited(Duration wait) {
        return work.get().get() > 0 && wait.compareTo(beat) > 0 ? beat : wait;
    }
}
