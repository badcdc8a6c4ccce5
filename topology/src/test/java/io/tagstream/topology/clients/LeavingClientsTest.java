/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.junit.jupiter.api.Test;

class LeavingClientsTest {
    private static final int THREADS = 2;
    private static final Map<String, Object> DYNAMIC = Map.of();

    private final FailedThreads failed = new FailedThreads();

    @Test
    void shouldLeaveWhateverKafkaStreamsSays() {
        assertThat(closed(DYNAMIC)).isEqualTo(GroupMembershipOperation.LEAVE_GROUP);
    }

    @Test
    void shouldKeepAStaticMemberThatTheNextStartHasToo() {
        assertThat(closed(member("tagstream-0-2"))).isEqualTo(GroupMembershipOperation.REMAIN_IN_GROUP);
    }

    @Test
    void shouldLeaveAsAStaticMemberThatTheNextStartDoesNotHave() {
        assertThat(closed(member("tagstream-0-3"))).isEqualTo(GroupMembershipOperation.LEAVE_GROUP);
    }

    @Test
    void shouldLeaveAsAStaticMemberWhoseThreadHasFailed() {
        failed.add(new IllegalStateException("its thread ends"));

        assertThat(closed(member("tagstream-0-2"))).isEqualTo(GroupMembershipOperation.LEAVE_GROUP);
    }

    @Test
    void shouldSayWhyPartitionsWaitUntilTheFailedThreadHasEnded() throws Exception {
        assertThat(failed.reason()).isEmpty();

        Thread failing = new Thread(() -> {
            failed.add(new IllegalStateException("a record that nobody expected"));
            assertThat(failed.reason())
                    .hasValueSatisfying(reason -> assertThat(reason).contains("a record that nobody expected"));
        });
        ThrownBy thrown = new ThrownBy();
        failing.setUncaughtExceptionHandler(thrown);
        failing.start();
        failing.join();

        assertThat(thrown.thrown).isEmpty();
        assertThat(failed.reason()).isEmpty();
    }

    /** Keeps the exception that a thread threw. */
    private static final class ThrownBy implements Thread.UncaughtExceptionHandler {
        private Optional<Throwable> thrown = Optional.empty();

        @Override
        public void uncaughtException(Thread thread, Throwable exception) {
            thrown = Optional.of(exception);
        }
    }

    private static Map<String, Object> member(String instanceId) {
        return Map.of(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, instanceId);
    }

    /** How a consumer closes if Kafka Streams would have it stay in the group. */
    private GroupMembershipOperation closed(Map<String, Object> config) {
        Closing closing = new Closing();
        LeavingClients clients = new LeavingClients(
                new DefaultKafkaClientSupplier() {
                    @Override
                    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> ignored) {
                        return closing;
                    }
                },
                failed,
                THREADS);
        clients.getConsumer(config)
                .close(CloseOptions.groupMembershipOperation(GroupMembershipOperation.REMAIN_IN_GROUP));
        return closing.operation;
    }

    /** A consumer that notes how it was closed. */
    private static final class Closing extends MockConsumer<byte[], byte[]> {
        private GroupMembershipOperation operation;

        Closing() {
            super("earliest");
        }

        @Override
        public void close(CloseOptions options) {
            operation = options.groupMembershipOperation();
            super.close(options);
        }
    }
}
