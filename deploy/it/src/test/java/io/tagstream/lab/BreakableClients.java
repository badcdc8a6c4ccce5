/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/** Real Kafka clients that honour an instance's {@link Breakpoints}. */
final class BreakableClients extends DefaultKafkaClientSupplier {
    private static final long LONGEST_COMMIT_NANOS = 4_000_000;

    private final Breakpoints breakpoints;
    private final String outcomesTopic;

    /** Records on {@code outcomesTopic} count as forwarded outcomes. */
    BreakableClients(Breakpoints breakpoints, String outcomesTopic) {
        this.breakpoints = breakpoints;
        this.outcomesTopic = outcomesTopic;
    }

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        AtomicReference<TimeoutException> undelivered = new AtomicReference<>();
        return proxy(Producer.class, super.getProducer(config), (call, method, arguments) -> {
            switch (method.getName()) {
                case "send" -> {
                    return send(call, arguments, undelivered);
                }
                case "sendOffsetsToTransaction" -> {
                    requireDelivery(undelivered.get());
                    return sendOffsets(call);
                }
                case "commitTransaction" -> {
                    requireDelivery(undelivered.get());
                    return commit(call);
                }
                case "abortTransaction" -> {
                    undelivered.set(null);
                    return call.go();
                }
                default -> {
                    return call.go();
                }
            }
        });
    }

    /** As the real producer does: a transaction that lacks a record can only be aborted. */
    private static void requireDelivery(TimeoutException undelivered) {
        if (undelivered != null) {
            throw new KafkaException(
                    "Cannot execute transactional method because we are in an error state", undelivered);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the proxy hands it to the caller
    private Object send(Call call, Object[] arguments, AtomicReference<TimeoutException> undelivered) throws Throwable {
        boolean counts = ((ProducerRecord<?, ?>) arguments[0]).topic().equals(outcomesTopic);
        if (counts) {
            breakpoints.reach(HaltPoint.BEFORE_FORWARD);
            if (arguments.length == 2 && breakpoints.takeSendTimeout()) {
                ChildProcess.announce(InstanceMain.TIMED_OUT);
                TimeoutException late =
                        new TimeoutException("delivery.timeout.ms has passed (simulated by the laboratory)");
                undelivered.set(late);
                ((Callback) arguments[1]).onCompletion(null, late);
                return CompletableFuture.failedFuture(late);
            }
        }
        Object result = call.go();
        if (counts) {
            breakpoints.reach(HaltPoint.AFTER_FORWARD);
        }
        return result;
    }

    /**
     * The real producer keeps a timed-out request and sends it before it commits. So this makes the call, and only the
     * answer comes too late.
     */
    private Object sendOffsets(Call call) throws Throwable {
        breakpoints.reach(HaltPoint.BEFORE_OFFSETS);
        Object result = call.go();
        if (breakpoints.takeOffsetsTimeout()) {
            ChildProcess.announce(InstanceMain.TIMED_OUT);
            throw new TimeoutException("The broker did not accept the offsets in time (simulated by the laboratory)");
        }
        return result;
    }

    private Object commit(Call call) throws Throwable {
        breakpoints.reach(HaltPoint.BEFORE_COMMIT);
        if (breakpoints.takeCommitTimeout()) {
            ChildProcess.announce(InstanceMain.TIMED_OUT);
            throw new TimeoutException("The broker did not commit in time (simulated by the laboratory)");
        }
        if (breakpoints.isDue(HaltPoint.DURING_COMMIT)) {
            Thread killer = new Thread(() -> {
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(LONGEST_COMMIT_NANOS));
                Breakpoints.halt();
            });
            killer.start();
        }
        Object result = call.go();
        breakpoints.reach(HaltPoint.AFTER_COMMIT);
        return result;
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
        return proxy(Consumer.class, super.getConsumer(config), (call, method, arguments) -> {
            if (method.getName().equals("subscribe")
                    && arguments.length == 2
                    && arguments[1] instanceof ConsumerRebalanceListener listener) {
                arguments[1] = new BreakableListener(listener);
            }
            if (method.getName().equals("poll") && breakpoints.takeThreadDeath()) {
                ChildProcess.announce(InstanceMain.THREAD_DIED);
                throw new IllegalStateException("The thread dies (simulated by the laboratory)");
            }
            return call.go();
        });
    }

    private final class BreakableListener implements ConsumerRebalanceListener {
        private final ConsumerRebalanceListener listener;

        BreakableListener(ConsumerRebalanceListener listener) {
            this.listener = listener;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            if (!partitions.isEmpty()) {
                breakpoints.reach(HaltPoint.IN_ASSIGNMENT);
            }
            listener.onPartitionsAssigned(partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (!partitions.isEmpty()) {
                breakpoints.reach(HaltPoint.IN_REVOCATION);
            }
            listener.onPartitionsRevoked(partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            listener.onPartitionsLost(partitions);
        }
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> config) {
        return proxy(Consumer.class, super.getRestoreConsumer(config), (call, method, arguments) -> {
            Object result = call.go();
            if (result instanceof ConsumerRecords<?, ?> records && !records.isEmpty()) {
                breakpoints.reach(HaltPoint.IN_RESTORE);
            }
            return result;
        });
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getGlobalConsumer(Map<String, Object> config) {
        return proxy(Consumer.class, super.getGlobalConsumer(config), (call, method, arguments) -> {
            if (method.getName().equals("poll") && breakpoints.vocabularyLags()) {
                Thread.sleep(((Duration) arguments[0]).toMillis());
                return ConsumerRecords.empty();
            }
            return call.go();
        });
    }

    /** A call to the real client. */
    private interface Call {
        Object go() throws Throwable;
    }

    private interface Interception {
        Object apply(Call call, Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Object client, Interception interception) {
        return type.cast(Proxy.newProxyInstance(
                BreakableClients.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    Call call = () -> {
                        try {
                            return method.invoke(client, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    };
                    return interception.apply(call, method, arguments);
                }));
    }
}
