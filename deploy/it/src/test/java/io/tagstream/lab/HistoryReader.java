/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.UndecodedImage;
import io.tagstream.lab.History.Change;
import io.tagstream.lab.History.Content;
import io.tagstream.lab.History.LabelChange;
import io.tagstream.lab.History.Marker;
import io.tagstream.lab.History.Outcome;
import io.tagstream.lab.History.Owed;
import io.tagstream.lab.History.Position;
import io.tagstream.lab.History.Result;
import io.tagstream.lab.History.Submission;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.tagging.TaggingTopology;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;

/** Makes a {@link History} from a round's topics once everything has stopped. */
final class HistoryReader {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final TagstreamConfig config;
    private final Contracts contracts;

    HistoryReader(TagstreamConfig config, Contracts contracts) {
        this.config = config;
        this.contracts = contracts;
    }

    /**
     * Reads everything that is committed.
     *
     * @param firstEpoch the vocabulary's newest offset when the first instance started
     * @param imageServerFailed whether the image server had a fault
     * @throws IOException if a transaction stays open, or a topic cannot be read to its end
     */
    History read(long firstEpoch, boolean imageServerFailed)
            throws IOException, InterruptedException, ExecutionException {
        return read(firstEpoch, imageServerFailed, List.of(), false);
    }

    /**
     * The same where {@code label-embeddings} may have been deleted or emptied.
     *
     * @param earlier markers that the topic had before
     */
    History read(long firstEpoch, boolean imageServerFailed, List<Marker> earlier, boolean markersLost)
            throws IOException, InterruptedException, ExecutionException {
        String pendingTopic = config.applicationId() + "-" + TaggingTopology.PENDING_STORE + "-changelog";
        List<String> topics = Stream.concat(
                        Stream.of(
                                        TagstreamConfig.IMAGES_TOPIC,
                                        TagstreamConfig.LABELS_TOPIC,
                                        TagstreamConfig.EMBEDDINGS_TOPIC,
                                        TagstreamConfig.CONTROL_TOPIC,
                                        TagstreamConfig.TAGS_TOPIC,
                                        TagstreamConfig.TAG_CHANGES_TOPIC,
                                        TagstreamConfig.IMAGE_FAILURES_TOPIC,
                                        TagstreamConfig.DEAD_LETTERS_TOPIC)
                                .map(config::topic),
                        Stream.of(pendingTopic))
                .toList();
        Map<String, List<ConsumerRecord<byte[], byte[]>>> records;
        try (CommittedReader reader = new CommittedReader(config, topics)) {
            records = reader.readToEnd(PATIENCE);
        }
        return new History(
                map(records, TagstreamConfig.IMAGES_TOPIC, this::submission),
                outcomes(records),
                map(records, TagstreamConfig.TAG_CHANGES_TOPIC, this::change),
                map(records, TagstreamConfig.LABELS_TOPIC, this::labelChange),
                Stream.concat(
                                earlier.stream(),
                                records.getOrDefault(config.topic(TagstreamConfig.EMBEDDINGS_TOPIC), List.of()).stream()
                                        .flatMap(found -> marker(found, contracts).stream()))
                        .distinct()
                        .toList(),
                markersLost,
                map(records, TagstreamConfig.CONTROL_TOPIC, this::control).stream()
                        .reduce((before, after) -> after),
                pending(records.getOrDefault(pendingTopic, List.of())),
                firstEpoch,
                imageServerFailed);
    }

    private <T> List<T> map(
            Map<String, List<ConsumerRecord<byte[], byte[]>>> records,
            String topicKey,
            Function<ConsumerRecord<byte[], byte[]>, T> mapping) {
        return records.getOrDefault(config.topic(topicKey), List.of()).stream()
                .map(mapping)
                .toList();
    }

    private List<Outcome> outcomes(Map<String, List<ConsumerRecord<byte[], byte[]>>> records) {
        List<Outcome> outcomes = new ArrayList<>(map(records, TagstreamConfig.TAGS_TOPIC, this::tagged));
        outcomes.addAll(map(records, TagstreamConfig.IMAGE_FAILURES_TOPIC, this::failed));
        records.getOrDefault(config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC), List.of()).stream()
                .filter(found -> Sequences.of(found).isPresent()) // the rest are labels
                .map(found -> outcome(found, new Result.DeadLetter()))
                .forEach(outcomes::add);
        return outcomes;
    }

    private Outcome tagged(ConsumerRecord<byte[], byte[]> found) {
        return outcome(
                found,
                found.value() == null
                        ? new Result.Deleted()
                        : new Result.Tagged(
                                contracts.tagEvent().deserializer().deserialize(found.topic(), found.value())));
    }

    private Outcome failed(ConsumerRecord<byte[], byte[]> found) {
        return outcome(
                found,
                new Result.Failed(contracts.imageFailure().deserializer().deserialize(found.topic(), found.value())));
    }

    private ClusterControl control(ConsumerRecord<byte[], byte[]> found) {
        return contracts.clusterControl().deserializer().deserialize(found.topic(), found.value());
    }

    /** What a record of {@code label-embeddings} says if it is a marker. */
    static Optional<Marker> marker(ConsumerRecord<byte[], byte[]> found, Contracts contracts) {
        LabelEmbedding embedding = contracts.labelEmbedding().deserializer().deserialize(found.topic(), found.value());
        return embedding != null && embedding.getContent() instanceof VocabularyMarker marker
                ? Optional.of(new Marker(
                        embedding.getSourceOffset(),
                        marker.getTopicId() == null ? embedding.getSourceOffset() : marker.getTopicOffset(),
                        Optional.ofNullable(marker.getRules())))
                : Optional.empty();
    }

    /** The pending store's remaining entries, according to its changelog. */
    private static List<Owed> pending(List<ConsumerRecord<byte[], byte[]>> changelog) {
        Map<String, Optional<byte[]>> latest = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> entry : changelog) {
            latest.put(
                    entry.partition() + "/" + ByteBuffer.wrap(entry.key()).getLong(),
                    Optional.ofNullable(entry.value()));
        }
        return latest.values().stream()
                .flatMap(Optional::stream)
                .map(HistoryReader::owed)
                .toList();
    }

    private static Owed owed(byte[] entry) {
        StateSerde<UndecodedImage> undecoded = new StateSerde<>(UndecodedImage.class);
        if (undecoded.isOfThisClass(entry)) {
            UndecodedImage image = undecoded.deserializer().deserialize(null, entry);
            return new Owed(image.getImageId(), image.getOrigin());
        }
        PendingImage image = new StateSerde<>(PendingImage.class).deserializer().deserialize(null, entry);
        return new Owed(image.getImageId(), image.getOrigin());
    }

    private Submission submission(ConsumerRecord<byte[], byte[]> found) {
        return new Submission(Sequences.of(found).orElseThrow(), text(found.key()), position(found), content(found));
    }

    private Content content(ConsumerRecord<byte[], byte[]> found) {
        if (found.key() == null) {
            return new Content.Unreadable();
        }
        if (found.value() == null) {
            return new Content.Deletion();
        }
        try {
            ImageReference reference =
                    contracts.imageReference().deserializer().deserialize(found.topic(), found.value());
            return new Content.Image(reference.getUri());
        } catch (SerializationException meant) {
            return new Content.Unreadable();
        }
    }

    private Outcome outcome(ConsumerRecord<byte[], byte[]> found, Result result) {
        return new Outcome(Sequences.of(found).orElse(History.NOBODYS), text(found.key()), position(found), result);
    }

    private Change change(ConsumerRecord<byte[], byte[]> found) {
        return new Change(
                Sequences.of(found).orElse(History.NOBODYS),
                text(found.key()),
                contracts.tagChange().deserializer().deserialize(found.topic(), found.value()));
    }

    private LabelChange labelChange(ConsumerRecord<byte[], byte[]> found) {
        try {
            Label label = contracts.label().deserializer().deserialize(found.topic(), found.value());
            return new LabelChange(found.offset(), text(found.key()), Optional.ofNullable(label), true);
        } catch (SerializationException meant) {
            return new LabelChange(found.offset(), text(found.key()), Optional.empty(), false);
        }
    }

    private static Position position(ConsumerRecord<byte[], byte[]> found) {
        return new Position(found.partition(), found.offset());
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
}
