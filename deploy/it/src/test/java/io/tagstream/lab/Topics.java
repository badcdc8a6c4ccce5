/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.it.TopicEraser;
import io.tagstream.lab.History.Marker;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.tagging.TaggingTopology;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The topics whose loss costs nothing while an instance runs, and their loss.
 *
 * <p><i>Threading notes.</i> One lane of faults deletes and empties; the round's thread reads the markers afterwards.
 */
final class Topics {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Instances look for lost topics every 3 s, and then write what was in them. */
    private static final Duration WRITTEN_AGAIN = Duration.ofSeconds(6);

    private final TagstreamConfig config;
    private final Contracts contracts;
    private final Journal journal;
    private final List<Marker> markers = new ArrayList<>();
    private boolean markersLost;

    /** A topic. */
    enum Lost {
        EMBEDDINGS(true),
        CONTROL(true),
        IMAGE_FEATURES(true),
        SWEEP(true),
        TASK_PROGRESS(true),
        ENCODED_LABELS(true),
        ENCODER_PROGRESS(true),
        PENDING(false),
        IMAGE_META(false);

        private final boolean alsoInMishaps;

        Lost(boolean alsoInMishaps) {
            this.alsoInMishaps = alsoInMishaps;
        }

        /**
         * Whether its loss costs nothing even if instances die before its records are written again. Those of the other
         * topics are in an instance's memory or on its disk alone until then.
         */
        boolean isSafe() {
            return alsoInMishaps;
        }
    }

    Topics(TagstreamConfig config, Contracts contracts, Journal journal) {
        this.config = config;
        this.contracts = contracts;
        this.journal = journal;
    }

    private String name(Lost lost) {
        String application = config.applicationId();
        String encoder = LabelEncoderTopology.applicationId(
                application, WordModel.describe(1).textFingerprint());
        return switch (lost) {
            case EMBEDDINGS -> config.topic(TagstreamConfig.EMBEDDINGS_TOPIC);
            case CONTROL -> config.topic(TagstreamConfig.CONTROL_TOPIC);
            case PENDING -> TaggingTopology.changelog(application, TaggingTopology.PENDING_STORE);
            case IMAGE_META -> TaggingTopology.changelog(application, TaggingTopology.IMAGE_META_STORE);
            case IMAGE_FEATURES -> TaggingTopology.changelog(application, TaggingTopology.IMAGE_FEATURES_STORE);
            case SWEEP -> TaggingTopology.changelog(application, TaggingTopology.SWEEP_STORE);
            case TASK_PROGRESS -> TaggingTopology.changelog(application, TaggingTopology.TASK_PROGRESS_STORE);
            case ENCODED_LABELS -> encoder + "-" + LabelEncoderTopology.ENCODED_LABELS_STORE + "-changelog";
            case ENCODER_PROGRESS -> encoder + "-" + LabelEncoderTopology.ENCODER_PROGRESS_STORE + "-changelog";
        };
    }

    /** What is done to a topic. */
    private interface Loss {
        void inflict(String topic, Admin admin) throws IOException, InterruptedException, ExecutionException;
    }

    /** Deletes a topic and waits until an instance has created it again; false if it does not exist. */
    boolean delete(Lost lost) throws IOException, InterruptedException, ExecutionException {
        return lose(lost, (topic, admin) -> {
            journal.note("deleting " + topic);
            admin.deleteTopics(List.of(topic)).all().get();
            boolean back = Awaiting.that(PATIENCE, () -> exists(topic, admin));
            journal.note(topic + (back ? " is back" : " does not come back"));
        });
    }

    /** Deletes a topic's records; false if it does not exist. */
    boolean empty(Lost lost) throws IOException, InterruptedException, ExecutionException {
        return lose(lost, (topic, admin) -> {
            journal.note("emptying " + topic);
            TopicEraser.empty(topic, admin);
        });
    }

    private boolean lose(Lost lost, Loss loss) throws IOException, InterruptedException, ExecutionException {
        String topic = name(lost);
        try (Admin admin = Admin.create(config.kafkaSettings())) {
            if (!exists(topic, admin)) {
                return false;
            }
            keepMarkers(lost);
            loss.inflict(topic, admin);
        }
        Thread.sleep(WRITTEN_AGAIN.toMillis());
        return true;
    }

    private static boolean exists(String topic, Admin admin) {
        try {
            return admin.listTopics().names().get().contains(topic);
        } catch (ExecutionException brokerAway) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void keepMarkers(Lost lost) {
        if (lost != Lost.EMBEDDINGS) {
            return;
        }
        markersLost = true;
        try (CommittedReader reader = new CommittedReader(config, List.of(name(lost)))) {
            boolean more = true;
            while (more) {
                more = false;
                for (ConsumerRecord<byte[], byte[]> found : reader.poll()) {
                    HistoryReader.marker(found, contracts).ifPresent(markers::add);
                    more = true;
                }
            }
        }
    }

    /** The markers of topics that were deleted or emptied, in order. */
    List<Marker> markers() {
        return List.copyOf(markers);
    }

    /** Whether {@code label-embeddings} was deleted or emptied. */
    boolean markersLost() {
        return markersLost;
    }
}
