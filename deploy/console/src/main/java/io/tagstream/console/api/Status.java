/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;

/**
 * What an instance is doing.
 *
 * @param notReadyBecause why images are not being tagged now; null while they are
 * @param imagesPerSecond outcomes a second, over some seconds; null before there are two looks
 * @param pending accepted images that owe their outcome
 * @param queue images that wait for their turn or their source
 * @param inFlight images that are being fetched, decoded and scored
 * @param batchSize mean images a batch, over the same seconds; null where there was none
 * @param tagged outcomes since the start
 * @param failuresByReason images that could not be tagged and are not mended
 * @param vocabularyEpoch the vocabulary's, -1 for none
 * @param labels how many labels it has
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record Status(
        boolean ready,
        String notReadyBecause,
        Double imagesPerSecond,
        long pending,
        long queue,
        long inFlight,
        Double batchSize,
        long tagged,
        long failed,
        long deleted,
        Map<String, Long> failuresByReason,
        long vocabularyEpoch,
        int labels,
        Model model,
        Search search,
        Features features) {
    /** The model that tags. */
    public record Model(String id, String version) {}

    /**
     * The search index.
     *
     * @param behind records of the tags topic that it has not read yet; -1 while that is not known
     */
    public record Search(int images, long behind) {}

    /**
     * What can be asked of this instance.
     *
     * @param writable whether labels may be changed
     * @param uploads whether images may be submitted
     * @param thumbnails whether there are small pictures
     * @param search whether images can be listed and found
     * @param queries whether previews, explanations, progress and likeness can be asked for
     */
    public record Features(boolean writable, boolean uploads, boolean thumbnails, boolean search, boolean queries) {}
}
