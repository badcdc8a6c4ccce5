/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.Map;

/** What an instance is doing. In JSON, the components of the first four parts stand directly in the status. */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record Status(
        @JsonUnwrapped Readiness readiness,
        @JsonUnwrapped Load load,
        @JsonUnwrapped Outcomes outcomes,
        @JsonUnwrapped Vocabulary vocabulary,
        Model model,
        Search search,
        Features features) {
    /**
     * Whether the instance can serve, and whether images wait.
     *
     * @param notReadyBecause why the instance cannot serve; null while it can
     * @param waitsBecause which images have waited for too long, why, and what to do; null if none has
     */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    public record Readiness(boolean ready, String notReadyBecause, String waitsBecause) {}

    /**
     * The images under way.
     *
     * @param imagesPerSecond outcomes per second, over up to about 15 s; null until the status was read at least 1 s
     *     earlier
     * @param pending accepted images that have no outcome yet
     * @param queue images that wait for their turn or for their source
     * @param inFlight images that are being fetched, decoded and scored
     * @param batchSize mean number of images per batch, over the same time; null if there was no batch
     */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    public record Load(Double imagesPerSecond, long pending, long queue, long inFlight, Double batchSize) {}

    /**
     * The outcomes since the start.
     *
     * @param failuresByReason images that could not be tagged and have not recovered since, by reason
     */
    public record Outcomes(long tagged, long failed, long deleted, Map<String, Long> failuresByReason) {}

    /**
     * The vocabulary in force.
     *
     * @param vocabularyEpoch its epoch; -1 for none
     * @param labels how many labels it has
     */
    public record Vocabulary(long vocabularyEpoch, int labels) {}

    /** The model that tags. */
    public record Model(String id, String version) {}

    /**
     * The search index.
     *
     * @param behind records of the tags topic that it has not read yet; -1 while unknown
     */
    public record Search(int images, long behind) {}

    /**
     * What can be asked of this instance.
     *
     * @param writable whether labels may be changed
     * @param uploads whether images may be submitted
     * @param thumbnails whether thumbnails are served
     * @param search whether images can be listed and searched
     * @param queries whether previews, explanations, progress and search by likeness are available
     */
    public record Features(boolean writable, boolean uploads, boolean thumbnails, boolean search, boolean queries) {}
}
