/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * Kafka clients whose main consumers leave their group when they close, whatever Kafka Streams says. Kafka Streams lets
 * a thread that it replaces stay in the group, and the thread's partitions would wait until the session times out.
 *
 * <p>A static member ({@code group.instance.id}) stays, so that its partitions do not move while its instance restarts.
 * It leaves if nobody would come back for its partitions: when an exception has ended its thread, and when it
 * replaces such a thread under a name that the next start does not use.
 *
 * <p><i>Threading notes.</i> The same as for the clients that it wraps; a consumer is closed by its stream thread.
 */
public final class LeavingClients extends ForwardingClients {
    private final FailedThreads failed;
    private final int threads;

    /**
     * @param clients makes the clients
     * @param failed knows which threads are ending because of exceptions
     * @param threads how many stream threads an instance starts with; Kafka Streams numbers static members from 1
     */
    public LeavingClients(KafkaClientSupplier clients, FailedThreads failed, int threads) {
        super(clients);
        this.failed = failed;
        this.threads = threads;
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
        Consumer<byte[], byte[]> consumer = super.getConsumer(config);
        boolean comesBack = comesBack((String) config.get(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG));
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(
                LeavingClients.class.getClassLoader(), new Class<?>[] {Consumer.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")
                            && arguments != null
                            && arguments[0] instanceof CloseOptions options) {
                        options.withGroupMembershipOperation(
                                comesBack && !failed.isCurrent()
                                        ? GroupMembershipOperation.REMAIN_IN_GROUP
                                        : GroupMembershipOperation.LEAVE_GROUP);
                    }
                    try {
                        return method.invoke(consumer, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Whether the next start will have a member of the same name. */
    private boolean comesBack(String instanceId) {
        return instanceId != null && Integer.parseInt(instanceId.substring(instanceId.lastIndexOf('-') + 1)) <= threads;
    }
}
