/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Reads single-partition topics as they are now, as Kafka Streams would under exactly-once: committed records only.
 *
 * <p>Every method throws a {@link org.apache.kafka.common.KafkaException} if the cluster does not answer or, unless it
 * says otherwise, the topic does not exist.
 *
 * <p><i>Threading notes.</i> Used by one thread.
 */
public interface TopicReader extends AutoCloseable {
    /**
     * What a topic held.
     *
     * @param topicId the topic's id; a topic that is recreated under the same name has a different id
     * @param end where it ended for readers of committed records
     * @param records in order of offset
     */
    record Contents(String topicId, long end, List<ConsumerRecord<byte[], byte[]>> records) {
        /**
         * The offset of the newest record, -1 if there is none. This is not the end: compaction and transaction markers
         * can leave offsets before the end that no reader ever sees.
         */
        public long newestOffset() {
            return records.isEmpty() ? -1 : records.get(records.size() - 1).offset();
        }
    }

    /** Reads a topic from its beginning to its present end. */
    Contents read(String topic);

    /** Where a topic begins: its first records may have been deleted. */
    long begin(String topic);

    /** Where a topic ends for readers of committed records. */
    long end(String topic);

    /** Whether any partition of a topic has ever had a record; false if the topic does not exist. */
    boolean hasHadRecords(String topic);

    /** A topic's id. */
    String topicId(String topic);

    /** Whether a consumer group has ever committed a position in a topic, unless that was deleted since. */
    boolean hasRead(String group, String topic);

    @Override
    void close();
}
