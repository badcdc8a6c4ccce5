/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.Label;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import java.util.List;
import java.util.Optional;

/**
 * What a round left on its topics, read as committed, each list in the order of its topic's partitions and offsets.
 *
 * @param submissions everything on {@code images}
 * @param outcomes everything on {@code tags}, {@code image-failures} and {@code dead-letters}
 * @param changes everything on {@code tag-changes}
 * @param vocabulary everything on {@code label-vocabulary}
 * @param markers every marker on {@code label-embeddings}, in the order in which they were written
 * @param markersLost whether that topic was deleted or emptied: markers from before may be missing
 * @param control the control record in force; empty if there is none
 * @param pending what the pending store's changelog still holds
 * @param firstEpoch the vocabulary's newest offset when the first instance started, -1 if the vocabulary was empty;
 *     nothing may be tagged under an older epoch
 * @param imageServerFailed whether the image server had a fault during the round
 */
record History(
        List<Submission> submissions,
        List<Outcome> outcomes,
        List<Change> changes,
        List<LabelChange> vocabulary,
        List<Marker> markers,
        boolean markersLost,
        Optional<ClusterControl> control,
        List<Owed> pending,
        long firstEpoch,
        boolean imageServerFailed) {
    /** The sequence number of an outcome or a change that answers no submission. */
    static final long NOBODYS = -1;

    /** Where a record is on its topic. */
    record Position(int partition, long offset) {}

    /**
     * A record of {@code images}.
     *
     * @param sequence the number that the laboratory gave it; its outcomes carry the same number
     * @param id the image's ID; null if the record has no key
     */
    record Submission(long sequence, String id, Position position, Content content) {}

    /** What a submission asks for. */
    sealed interface Content {
        /** An image to tag. */
        record Image(String uri) implements Content {}

        /** An image to delete. */
        record Deletion() implements Content {}

        /** An unreadable record. */
        record Unreadable() implements Content {}
    }

    /** A record of an outcome topic. */
    record Outcome(long sequence, String id, Position position, Result result) {}

    /** The result of a submission. */
    sealed interface Result {
        /** The image was tagged. */
        record Tagged(TagEvent event) implements Result {}

        /** The image was deleted. */
        record Deleted() implements Result {}

        /** The image could not be tagged. */
        record Failed(ImageFailure failure) implements Result {}

        /** The record could not be read. */
        record DeadLetter() implements Result {}
    }

    /** An image in the pending store. */
    record Owed(String id, RecordOrigin origin) {}

    /** A record of {@code tag-changes}. */
    record Change(long sequence, String id, TagChange change) {}

    /**
     * Puts the vocabulary up to an offset in force, and a model and a tag policy with it.
     *
     * @param rules empty where a version of Tagstream wrote it that had none
     */
    record Marker(long epoch, long offset, Optional<MarkerRules> rules) {}

    /**
     * A record of {@code label-vocabulary}.
     *
     * @param label empty if the label is removed
     * @param readable false if Tagstream can only refuse the record
     */
    record LabelChange(long offset, String id, Optional<Label> label, boolean readable) {}
}
