/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.topology.clients.DecisiveClients;
import io.tagstream.topology.clients.WatchedClients;
import java.util.Map;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.junit.jupiter.api.Test;

class FencedProducersTest {
    private final Progress progress = new Progress();
    private final MockProducer<byte[], byte[]> real =
            new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
    private final Producer<byte[], byte[]> watched = new WatchedClients(
                    new DecisiveClients(new DefaultKafkaClientSupplier() {
                        @Override
                        public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
                            return real;
                        }
                    }),
                    progress,
                    new Copies(new Restores()))
            .getProducer(Map.of());

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // the callback learns the same
    void shouldNoteThatAProducerIsGivenUp() {
        watched.send(new ProducerRecord<>("tags", new byte[0]), (metadata, failure) -> {});
        assertThat(progress.fence()).isEmpty();
        real.errorNext(new TimeoutException("no answer"));
        assertThat(progress.fence())
                .hasValueSatisfying(fence -> assertThat(fence.message()).contains("no answer"));
    }
}
