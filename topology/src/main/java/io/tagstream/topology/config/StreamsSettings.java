/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.DefaultProductionExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler;
import org.apache.kafka.streams.state.HostInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Kafka Streams settings that follow from a configuration. */
public final class StreamsSettings {
    private static final Logger log = LoggerFactory.getLogger(StreamsSettings.class);

    /**
     * How long the partitions of an instance that has died wait for another instance. Kafka's default, 45 s, is for
     * consumers that are better left alone; images should not wait that long. A process that stands still for longer
     * than this loses its partitions.
     */
    private static final int SESSION_TIMEOUT_MILLIS = 10_000;

    /** For what nobody waits for: tasks ask for a commit when they have written what others wait for. */
    private static final int COMMIT_INTERVAL_MILLIS = 1_000;

    /**
     * Records of a transaction leave together when it ends, since each request costs the broker more than its bytes. An
     * image's features are larger than the default batch, which would be sent at once.
     */
    private static final int PRODUCER_BATCH_BYTES = 128 * 1024;

    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private StreamsSettings() {}

    /** Kafka Streams settings: ours, then whatever {@code kafka.*} says. */
    public static Map<String, Object> of(TagstreamConfig config, String applicationId, int threads) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_INTERVAL_MILLIS);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, config.getString(TagstreamConfig.STATE_DIR));
        settings.put(
                StreamsConfig.REPLICATION_FACTOR_CONFIG,
                config.getShort(TagstreamConfig.TOPICS_REPLICATION_FACTOR).intValue());
        settings.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, StoreMemory.class);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, PRODUCER_BATCH_BYTES);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, COMMIT_INTERVAL_MILLIS);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_TIMEOUT_MILLIS);
        settings.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, config.getInt(TagstreamConfig.STANDBY_REPLICAS));
        address(config)
                .ifPresent(address ->
                        settings.put(StreamsConfig.APPLICATION_SERVER_CONFIG, address.host() + ":" + address.port()));
        // A record that makes any of the three fail must not be dropped; unreadable records are dealt with earlier.
        settings.put(StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG, LogAndFailExceptionHandler.class);
        settings.put(
                StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG, LogAndFailProcessingExceptionHandler.class);
        settings.put(StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG, DefaultProductionExceptionHandler.class);
        settings.putAll(config.kafkaSettings());
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads);
        return settings;
    }

    /** The address at which other instances can query this one; empty if they cannot. */
    public static Optional<HostInfo> address(TagstreamConfig config) {
        Object configured = config.kafkaSettings().get(StreamsConfig.APPLICATION_SERVER_CONFIG);
        if (configured != null) {
            return Optional.of(HostInfo.buildFromEndpoint(configured.toString()));
        }
        String host = config.getString(TagstreamConfig.HTTP_HOST);
        return config.optionalInt(TagstreamConfig.HTTP_PORT).stream()
                .filter(port -> port > 0)
                .mapToObj(port -> new HostInfo(host.equals("0.0.0.0") ? localHost() : host, port))
                .findFirst();
    }

    private static String localHost() {
        try {
            return InetAddress.getLocalHost().getCanonicalHostName();
        } catch (UnknownHostException e) {
            if (WARNED.compareAndSet(false, true)) {
                log.warn(
                        "This machine's name is unknown ({}); set kafka.application.server so that others can query it",
                        e.getMessage());
            }
            return "127.0.0.1";
        }
    }
}
