/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology;

import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import io.tagstream.topology.tagging.TaggingTopology;
import java.util.HashMap;
import java.util.Map;

/** What the loss of each topic means, and what to do about it. The operations page has the same in a table. */
public final class TopicLosses {
    private TopicLosses() {}

    /** A sentence or two for each topic that the application reads or writes under a configured name. */
    public static Map<String, String> of(TagstreamConfig config) {
        Map<String, String> losses = new HashMap<>();
        losses.put(
                config.topic(TagstreamConfig.IMAGES_TOPIC),
                "Images that had not been read are lost: submit them again. Images that were read get their outcome.");
        losses.put(
                config.topic(TagstreamConfig.LABELS_TOPIC),
                "The labels in force stay in force until the new topic has its first record, and then only labels that"
                        + " are in it count: import the whole vocabulary (tagstream labels import) before anybody adds a"
                        + " label.");
        losses.put(
                config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                "Nothing is lost: the label encoder writes its labels again.");
        losses.put(
                config.topic(TagstreamConfig.CONTROL_TOPIC),
                "Nothing is lost: the bundle and the policy in force are written again.");
        losses.put(
                config.topic(TagstreamConfig.TAGS_TOPIC),
                "Nothing is lost: the tags of all known images are written again. Rebuild search indexes (tagstream"
                        + " index --recreate).");
        losses.put(
                config.topic(TagstreamConfig.TAG_CHANGES_TOPIC),
                "Its records are lost, and the changes that follow are written to the new topic.");
        losses.put(
                config.topic(TagstreamConfig.IMAGE_FAILURES_TOPIC),
                "Its records are lost: submit images that failed again if they are still wanted.");
        losses.put(
                config.topic(TagstreamConfig.LABEL_FAILURES_TOPIC),
                "Its records are lost; labels that were refused can be sent again.");
        losses.put(
                config.topic(TagstreamConfig.DEAD_LETTERS_TOPIC),
                "Its records are lost, and can no longer be submitted again.");
        return losses;
    }

    /** The same for all its topics, those that Kafka Streams keeps for it included. */
    static Map<String, String> of(TagstreamConfig config, String labelsApplicationId) {
        String application = config.applicationId();
        Map<String, String> losses = new HashMap<>(of(config));
        if (config.getBoolean(TagstreamConfig.IMAGES_REPARTITION)) {
            losses.put(
                    TaggingTopology.taggingInput(config, application),
                    "Images that were on their way to their task are lost: submit the latest ones that have no outcome"
                            + " again.");
        }
        putChangelog(
                losses,
                application,
                TaggingTopology.PENDING_STORE,
                "Images that await their outcome are written again by the instances that have them in memory.");
        putChangelog(
                losses,
                application,
                TaggingTopology.IMAGE_META_STORE,
                "Known images are written again by the instances that have them on disk.");
        putChangelog(
                losses,
                application,
                TaggingTopology.IMAGE_FEATURES_STORE,
                "Features that are lost with it are made again: their images are read again when a label must be decoded"
                        + " for them.");
        putChangelog(
                losses,
                application,
                TaggingTopology.SWEEP_STORE,
                "Nothing is lost: it is written again, or every known image is checked again.");
        putChangelog(
                losses,
                application,
                TaggingTopology.TASK_PROGRESS_STORE,
                "Nothing is lost: it is written again, or taken from what is known about images.");
        for (String topic : LabelEncoderTopology.internalTopics(labelsApplicationId)) {
            losses.put(topic, "Nothing is lost: the label encoder takes its labels from label-embeddings.");
        }
        return losses;
    }

    private static void putChangelog(Map<String, String> losses, String application, String store, String loss) {
        losses.put(TaggingTopology.changelog(application, store), loss);
    }
}
