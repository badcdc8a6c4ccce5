/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.tagstream.topology.config.StreamsSettings;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Finds the newest record of label-vocabulary, the offset that the vocabulary must cover before images are tagged.
 *
 * <p>The topic's end offset would not do: compaction and transaction markers can leave offsets before it that no reader
 * ever meets, so that no marker could reach it. Hence the topic is read, as Kafka Streams would under exactly-once; a
 * vocabulary is small.
 */
final class VocabularyEnd {
    private static final Duration POLL = Duration.ofMillis(100);

    private VocabularyEnd() {}

    static long read(TagstreamConfig config) {
        TopicPartition partition = new TopicPartition(config.topic(TagstreamConfig.LABELS_TOPIC), 0);
        Map<String, Object> settings = new StreamsConfig(StreamsSettings.of(config, config.applicationId(), 1))
                .getRestoreConsumerConfigs(config.applicationId() + "-vocabulary-end");
        long newest = VocabularySnapshot.EMPTY_EPOCH;
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> change : consumer.poll(POLL)) {
                    newest = Math.max(newest, change.offset());
                }
            }
        }
        return newest;
    }
}
