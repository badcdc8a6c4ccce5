/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.failures;

import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.cluster.topics.TopicScan;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.IdDeserializer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Finds the failures that are on the cluster at the time of the call, oldest first.
 *
 * <p>A failure is <i>current</i> as long as the image has had no other outcome since: it is the latest failure of its
 * image id, and the tags topic has neither tags nor a deletion that were written later.
 *
 * <p>Memory: holds the latest failure of each image id. Used by one thread.
 */
public final class FailureReader implements AutoCloseable {
    /** How far the clocks of instances may differ. */
    private static final Duration SKEW = Duration.ofMinutes(5);

    private final TopicScan scan;
    private final Deserializer<ImageFailure> deserializer;
    private final IdDeserializer imageIds = new IdDeserializer("image");
    private final Consumer<String> notes;

    /** @param notes receives a sentence for every record that cannot be read */
    public FailureReader(TagstreamConfig config, Contracts contracts, Consumer<String> notes) {
        this.scan = new TopicScan(config);
        this.deserializer = contracts.imageFailure().deserializer();
        this.notes = notes;
    }

    /** Returns every failure that is still kept, including an image's earlier ones. */
    public List<FailedImage> all(Selection selection) {
        List<FailedImage> failures = new ArrayList<>();
        read(selection, failures::add);
        return sorted(failures.stream().filter(selection::takes).toList());
    }

    /** Returns the current failures. */
    public List<FailedImage> current(Selection selection) {
        Map<String, FailedImage> latest = latest(selection);
        earliest(latest, FailedImage::writtenAt)
                .ifPresent(since -> scan.read(TagstreamConfig.TAGS_TOPIC, Optional.of(since), outcome -> {
                    String id = IdDeserializer.describe(outcome.key());
                    FailedImage failed = latest.get(id);
                    if (failed != null
                            && outcome.timestamp() >= failed.writtenAt().toEpochMilli()) {
                        latest.remove(id);
                    }
                }));
        return sorted(latest.values().stream().filter(selection::takes).toList());
    }

    /**
     * Finds those of {@code failures} whose image was later submitted again or deleted: by image id, the position of
     * that record on images. Its outcome is still due, and the failed record must not come after it.
     */
    public Map<String, String> submittedAgain(List<FailedImage> failures) {
        Map<String, FailedImage> byId = new HashMap<>();
        failures.forEach(failed -> byId.put(failed.imageId(), failed));
        Map<String, String> again = new LinkedHashMap<>();
        earliest(byId, FailedImage::submittedAt)
                .ifPresent(since -> scan.read(TagstreamConfig.IMAGES_TOPIC, Optional.of(since), submitted -> {
                    String id = IdDeserializer.describe(submitted.key());
                    FailedImage failed = byId.get(id);
                    if (failed != null && isLater(submitted, failed)) {
                        again.put(
                                id, "%s-%d@%d".formatted(submitted.topic(), submitted.partition(), submitted.offset()));
                    }
                }));
        return again;
    }

    private static boolean isLater(ConsumerRecord<byte[], byte[]> submitted, FailedImage failed) {
        RecordOrigin origin = failed.failure().getOrigin();
        boolean comparable =
                submitted.topic().equals(origin.getTopic()) && submitted.partition() == origin.getPartition();
        return comparable
                ? submitted.offset() > origin.getOffset()
                : submitted.timestamp() > failed.submittedAt().toEpochMilli();
    }

    /** Returns the records that could not be read at all. */
    public List<DeadLetter> deadLetters(Selection selection) {
        List<DeadLetter> letters = new ArrayList<>();
        scan.read(TagstreamConfig.DEAD_LETTERS_TOPIC, selection.since(), found -> {
            DeadLetter letter = DeadLetter.of(found);
            if (selection.takes(letter)) {
                letters.add(letter);
            }
        });
        return letters.stream()
                .sorted(Comparator.comparing(DeadLetter::writtenAt))
                .toList();
    }

    private Map<String, FailedImage> latest(Selection selection) {
        Map<String, FailedImage> latest = new HashMap<>();
        read(
                selection,
                failed -> latest.merge(
                        failed.imageId(),
                        failed,
                        (one, other) -> one.writtenAt().isAfter(other.writtenAt()) ? one : other));
        return latest;
    }

    private void read(Selection selection, Consumer<FailedImage> failures) {
        scan.read(TagstreamConfig.IMAGE_FAILURES_TOPIC, selection.since(), found -> {
            try {
                String id = imageIds.deserialize(found.topic(), found.key());
                ImageFailure failure = deserializer.deserialize(found.topic(), found.value());
                if (failure == null) {
                    throw new SerializationException("the value is null");
                }
                failures.accept(new FailedImage(id, failure, found.headers(), Instant.ofEpochMilli(found.timestamp())));
            } catch (SerializationException e) {
                notes.accept("left out the record at %s-%d@%d, which is not an image failure: %s"
                        .formatted(found.topic(), found.partition(), found.offset(), e.getMessage()));
            }
        });
    }

    private static Optional<Instant> earliest(Map<String, FailedImage> failures, Function<FailedImage, Instant> time) {
        return failures.values().stream()
                .map(time)
                .min(Comparator.naturalOrder())
                .map(first -> first.minus(SKEW));
    }

    private static List<FailedImage> sorted(List<FailedImage> failures) {
        return failures.stream()
                .sorted(Comparator.comparing(FailedImage::writtenAt).thenComparing(FailedImage::imageId))
                .toList();
    }

    @Override
    public void close() {
        scan.close();
    }
}
