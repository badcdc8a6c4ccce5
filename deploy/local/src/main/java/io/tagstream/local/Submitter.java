/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import io.tagstream.avro.ImageReference;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.outcomes.ImageOutcome;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes image references, and knows which images do not need one.
 *
 * <p>Every reference carries the run that submitted it as an attribute, which returns with its outcome.
 *
 * <p><i>Threading notes:</i> used by one thread; write failures arrive on the producer's thread and are thrown at the
 * next use.
 */
public final class Submitter implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Submitter.class);
    private static final String RUN_ATTRIBUTE = "tagstream.local.run";

    private final String topic;
    private final Producer<String, ImageReference> producer;
    private final ModelDescription model;
    private final String run = UUID.randomUUID().toString();
    private final AtomicReference<Exception> failure = new AtomicReference<>();

    public Submitter(LocalNode node) {
        TagstreamConfig config = node.config();
        this.topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        this.model = node.runtime().description();
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        this.producer = new KafkaProducer<>(
                settings,
                new StringSerializer(),
                node.contracts().imageReference().serializer());
    }

    /**
     * Whether tagging the image again would give the same tags. Reads the file.
     *
     * @param vocabularyEpoch the epoch of the vocabulary and the tag policy in force
     */
    boolean isCurrent(NamedImage image, TagEvent event, long vocabularyEpoch) {
        return image.file().isPresent()
                && event.getUri().equals(image.uri().toString())
                && event.getVocabularyEpoch() >= vocabularyEpoch
                && event.getModel().getId().equals(model.id())
                && event.getModel().getVersion().equals(model.version())
                && hasContent(image.file().get(), event.getSha256());
    }

    private static boolean hasContent(Path file, String sha256) {
        try (InputStream content = Files.newInputStream(file)) {
            return DigestUtils.sha256Hex(content).equals(sha256);
        } catch (IOException e) {
            log.debug("{} cannot be read; its failure will say why", file, e);
            return false;
        }
    }

    /** Submits an image to be tagged. */
    public void submit(NamedImage image) {
        ImageReference reference = ImageReference.newBuilder()
                .setUri(image.uri().toString())
                .setAttributes(Map.of(RUN_ATTRIBUTE, run))
                .setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS))
                .build();
        send(image.id(), reference);
    }

    /** Requests the deletion of an image's tags. */
    void delete(String imageId) {
        send(imageId, null);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the callback handles the result
    private void send(String imageId, ImageReference reference) {
        Exception earlier = failure.get();
        if (earlier != null) {
            throw OperatorException.failed("images cannot be submitted to Kafka: " + earlier.getMessage(), earlier);
        }
        producer.send(new ProducerRecord<>(topic, imageId, reference), (written, exception) -> {
            if (exception != null) {
                failure.compareAndSet(null, exception);
            }
        });
    }

    /** Whether an outcome belongs to a submission of this run. */
    boolean isOfThisRun(ImageOutcome outcome) {
        Map<String, String> attributes = Map.of();
        if (outcome instanceof ImageOutcome.Tagged tagged) {
            attributes = tagged.event().getAttributes();
        } else if (outcome instanceof ImageOutcome.Failed failed) {
            attributes = failed.failure().getReference().getAttributes();
        }
        return run.equals(attributes.get(RUN_ATTRIBUTE));
    }

    @Override
    public void close() {
        producer.close();
    }
}
