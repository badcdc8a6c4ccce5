/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.clients;

import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Reads topics of one partition as they are now, as Kafka Streams would under exactly-once: committed records only.
 *
 * <p>Every method throws a {@link org.apache.kafka.common.KafkaException} where the cluster does not answer or the topic is
 * not there.
 *
 * <p><i>Threading notes.</i> Used by one thread.
 */
public interface TopicReader extends AutoCloseable {
    /**
     * What a topic held.
     *
     * @param topicId the topic's id: one that is created anew under the same name has another
     * @param end where it ended for readers of committed records
     * @param records in the order of their offsets
     */
    record Contents(String topicId, long end, List<ConsumerRecord<byte[], byte[]>> records) {
        /**
         * The offset of the newest record, -1 if there is none. Not the end: compaction and transaction markers can leave
         * offsets before that which no reader ever meets.
         */
        public long newestOffset() {
            return records.isEmpty() ? -1 : records.get(records.size() - 1).offset();
        }
    }

    /** Reads a topic from its beginning to what is its end now. */
    Contents read(String topic);

    /** Where a topic ends for readers of committed records. */
    long end(String topic);

    /** A topic's id. */
    String topicId(String topic);

    /** Whether a consumer group has ever committed how far it has read a topic, unless that was deleted since. */
    boolean hasRead(String group, String topic);

    @Override
    void close();
}
