/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DecisiveClientsTest {
    private static final Map<TopicPartition, OffsetAndMetadata> OFFSETS =
            Map.of(new TopicPartition("images", 0), new OffsetAndMetadata(1));

    private static final ProducerRecord<byte[], byte[]> RECORD = new ProducerRecord<>("tags", new byte[0]);

    private static final ConsumerGroupMetadata GROUP = new MockConsumer<byte[], byte[]>("earliest").groupMetadata();

    private final MockProducer<byte[], byte[]> real =
            new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer());
    private final Producer<byte[], byte[]> decisive = decisive(real);

    private static Producer<byte[], byte[]> decisive(Producer<byte[], byte[]> producer) {
        return new DecisiveClients(new DefaultKafkaClientSupplier() {
                    @Override
                    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
                        return producer;
                    }
                })
                .getProducer(Map.of());
    }

    @BeforeEach
    void beginTransaction() {
        decisive.initTransactions();
        decisive.beginTransaction();
    }

    @Test
    void shouldGiveUpAProducerWhoseCommitTimesOut() {
        real.commitTransactionException = new TimeoutException("no answer");

        assertThatThrownBy(decisive::commitTransaction)
                .isInstanceOf(ProducerFencedException.class)
                .hasMessageContaining("no answer");
    }

    @Test
    void shouldGiveUpAProducerWhoseOffsetsTimeOut() {
        real.sendOffsetsToTransactionException = new TimeoutException("no answer");

        assertThatThrownBy(() -> decisive.sendOffsetsToTransaction(OFFSETS, GROUP))
                .isInstanceOf(ProducerFencedException.class);
    }

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // the callback learns the same
    void shouldGiveUpAProducerWhoseRecordIsNotSentInTime() {
        List<Exception> failures = new ArrayList<>();
        MockProducer<byte[], byte[]> slow =
                new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
        decisive(slow).send(RECORD, (metadata, failure) -> failures.add(failure));
        slow.errorNext(new TimeoutException("no answer"));
        decisive(slow).send(RECORD, (metadata, failure) -> failures.add(failure));
        slow.errorNext(new RecordTooLargeException("too large"));
        decisive(slow).send(RECORD, (metadata, failure) -> failures.add(failure));
        slow.completeNext();

        assertThat(failures).hasSize(3);
        assertThat(failures.get(0)).isInstanceOf(ProducerFencedException.class).hasMessageContaining("no answer");
        assertThat(failures.get(1)).isInstanceOf(RecordTooLargeException.class);
        assertThat(failures.get(2)).isNull();
    }

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // the callback learns the same
    void shouldNotEndATransactionThatLacksARecord() {
        MockProducer<byte[], byte[]> slow =
                new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
        Producer<byte[], byte[]> producer = decisive(slow);
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(RECORD, (metadata, failure) -> {});
        slow.errorNext(new TimeoutException("no answer"));

        assertThatThrownBy(() -> producer.sendOffsetsToTransaction(OFFSETS, GROUP))
                .isInstanceOf(ProducerFencedException.class)
                .hasMessageContaining("no answer");
        assertThat(slow.sentOffsets()).isFalse();

        producer.abortTransaction();
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(OFFSETS, GROUP);
        assertThat(slow.sentOffsets()).isTrue();
    }

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // the history tells
    void shouldFlushOnceBeforeTheOffsetsInsteadOfForEachTask() {
        MockProducer<byte[], byte[]> waiting =
                new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
        Producer<byte[], byte[]> producer = decisive(waiting);
        producer.initTransactions();
        producer.beginTransaction();
        List<Exception> failures = new ArrayList<>();
        producer.send(RECORD, (metadata, failure) -> failures.add(failure));
        producer.flush();
        assertThat(waiting.flushed()).isFalse();
        assertThat(failures).isEmpty();

        producer.sendOffsetsToTransaction(OFFSETS, GROUP);
        assertThat(waiting.flushed()).isTrue();
        assertThat(failures).hasSize(1).containsOnlyNulls();
    }

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // the history tells
    void shouldSendNothingForATransactionThatChangesNothing() {
        assertThat(sendsOffsets(1)).as("not committed before").isTrue();
        assertThat(sendsOffsets(1)).isFalse();
        assertThat(sendsOffsets(2)).as("more was read").isTrue();
        assertThat(sendsOffsets(1)).as("it was read again").isTrue();

        decisive.beginTransaction();
        decisive.send(RECORD);
        decisive.sendOffsetsToTransaction(offsets(1), GROUP);
        assertThat(real.sentOffsets()).as("it has a record").isTrue();
        decisive.abortTransaction();

        decisive.beginTransaction();
        decisive.sendOffsetsToTransaction(offsets(3), GROUP);
        decisive.abortTransaction();
        assertThat(sendsOffsets(3)).as("they were not committed").isTrue();
    }

    /** Commits an offset in a transaction without records; returns whether it is sent. */
    private boolean sendsOffsets(long offset) {
        if (!real.transactionInFlight()) {
            decisive.beginTransaction();
        }
        decisive.sendOffsetsToTransaction(offsets(offset), GROUP);
        boolean sent = real.sentOffsets();
        decisive.commitTransaction();
        return sent;
    }

    private static Map<TopicPartition, OffsetAndMetadata> offsets(long offset) {
        return Map.of(new TopicPartition("images", 0), new OffsetAndMetadata(offset));
    }

    @Test
    void shouldLeaveEverythingElseAsItIs() {
        real.abortTransactionException = new TimeoutException("no answer");
        assertThatThrownBy(decisive::abortTransaction).isInstanceOf(TimeoutException.class);

        real.commitTransactionException = new KafkaException("something else");
        assertThatThrownBy(decisive::commitTransaction).isSameAs(real.commitTransactionException);

        real.commitTransactionException = null;
        decisive.sendOffsetsToTransaction(OFFSETS, GROUP);
        decisive.commitTransaction();
        assertThat(real.transactionCommitted()).isTrue();
    }
}
