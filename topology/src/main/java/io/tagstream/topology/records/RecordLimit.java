/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import io.tagstream.topology.config.StreamsSettings;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.streams.StreamsConfig;

/**
 * The largest record that Kafka's producer accepts, {@code max.request.size}. A larger record must never reach the
 * producer: it ends the transaction, and the work that is then done again meets the same record. Immutable,
 * thread-safe.
 *
 * @param bytes the largest size, including a batch's header
 */
public record RecordLimit(int bytes) {
    private static final int SMALLEST = 64 * 1024;

    /** The overhead of a batch and of a record, and room for what Kafka Streams adds. */
    private static final int OVERHEAD = 512;

    /** As in the brokers' own default, {@code max.message.bytes} of 1 MiB and 12 bytes. */
    private static final int BATCH_OVERHEAD = 12;

    private static final int BROKERS_DEFAULT = 1024 * 1024 + BATCH_OVERHEAD;

    private static final int HEADER_OVERHEAD = 10;

    /**
     * An application's limit.
     *
     * @throws ConfigException if the limit is so small that not even failures fit
     */
    public static RecordLimit of(TagstreamConfig config) {
        StreamsConfig streams = new StreamsConfig(StreamsSettings.of(config, config.applicationId(), 1));
        Object size = streams.getProducerConfigs(config.applicationId()).get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
        int bytes = size == null
                ? (Integer) ProducerConfig.configDef().defaultValues().get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG)
                : Integer.parseInt(size.toString().strip());
        if (bytes < SMALLEST) {
            throw new ConfigException(
                    TagstreamConfig.KAFKA_PREFIX + ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                    bytes,
                    "must be at least " + SMALLEST);
        }
        return new RecordLimit(bytes);
    }

    /** The batch size, such as a topic's {@code max.message.bytes}, that lets every record within this limit pass. */
    public int batchBytes() {
        return bytes + BATCH_OVERHEAD;
    }

    /** Whether records may be larger than a broker accepts by default. */
    public boolean exceedsBrokersDefault() {
        return batchBytes() > BROKERS_DEFAULT;
    }

    /** Whether a record fits; null means a key or value of zero bytes. */
    public boolean fits(byte[] key, byte[] value, Iterable<Header> headers) {
        return sizeOf(key, value, headers) <= bytes;
    }

    /** An upper bound on a record's size in bytes. */
    public static long sizeOf(byte[] key, byte[] value, Iterable<Header> headers) {
        long size = (long) OVERHEAD + length(key) + length(value);
        for (Header header : headers) {
            size += HEADER_OVERHEAD + length(utf8(header.key())) + length(header.value());
        }
        return size;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static int length(byte[] bytes) {
        return bytes == null ? 0 : bytes.length;
    }
}
