/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.images;

import io.tagstream.avro.ImageReference;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.ImageFormat;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Takes images from people: stores uploaded bytes as files under generated names, and submits every image.
 *
 * <p><i>Threading notes.</i> May be used by any number of threads.
 */
public final class ImageIntake implements AutoCloseable {
    /** The attribute that holds a file's original name. */
    public static final String NAME = "name";

    private static final int RANDOM_BYTES = 6;
    private static final int LONGEST_NAME = 200;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    private final SecureRandom random = new SecureRandom();
    private final Path directory;
    private final String topic;
    private final int largest;
    private final Producer<String, ImageReference> producer;

    /**
     * A submitted image.
     *
     * @param id the image's id
     * @param name the file's original name, or the URL
     */
    public record Submitted(String id, String name) {}

    /** @param directory where files are stored; must be a directory that images may be read from */
    public ImageIntake(TagstreamConfig config, Contracts contracts, Path directory) {
        this.directory = directory;
        this.topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        this.largest = config.getInt(InferenceKeys.DECODE_MAX_BYTES);
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        this.producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.imageReference().serializer());
    }

    /** The size of the largest accepted file, in bytes. */
    public int largest() {
        return largest;
    }

    /**
     * Stores and submits a file. Its name is kept as an attribute only, and never becomes part of a path.
     *
     * @throws ImageException if it is not an image of a known format
     * @throws IOException if it cannot be stored
     */
    public Submitted file(String name, byte[] content) throws ImageException, IOException, InterruptedException {
        String extension = ImageFormat.of(content).extension();
        byte[] digits = new byte[RANDOM_BYTES];
        random.nextBytes(digits);
        String id = "upload-%s-%s.%s"
                .formatted(TIME.format(Instant.now()), HexFormat.of().formatHex(digits), extension);
        Files.createDirectories(directory);
        Path file = Files.write(directory.resolve(id), content);
        String shown = name.length() > LONGEST_NAME ? name.substring(0, LONGEST_NAME) : name;
        send(id, file.toUri(), Map.of(NAME, shown));
        return new Submitted(id, shown);
    }

    /** Submits an image by its URL, which becomes its id. */
    public Submitted url(URI url) throws InterruptedException {
        send(url.toString(), url, Map.of());
        return new Submitted(url.toString(), url.toString());
    }

    private void send(String id, URI uri, Map<String, String> attributes) throws InterruptedException {
        ImageReference reference = ImageReference.newBuilder()
                .setUri(uri.toString())
                .setAttributes(new HashMap<>(attributes))
                .setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS))
                .build();
        try {
            producer.send(new ProducerRecord<>(topic, id, reference)).get();
        } catch (ExecutionException e) {
            throw new KafkaException("The image cannot be submitted to topic " + topic, e.getCause());
        }
    }

    @Override
    public void close() {
        producer.close();
    }
}
