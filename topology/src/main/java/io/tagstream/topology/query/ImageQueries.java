/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.query;

import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Queries about all known images, wherever their state is kept. Queries change nothing.
 *
 * <p>Every method throws {@link QueryUnavailableException} while part of the state cannot be queried, as during a
 * rebalance.
 *
 * <p><i>Threading notes.</i> May be called from any number of threads at once; each call may block for seconds.
 */
public interface ImageQueries {
    /**
     * How many known images a label would match, without adding it to the vocabulary.
     *
     * @param text the label's name and prompts
     * @param threshold the label's own threshold, in [0, 1], if it has one
     * @param best how many of the images with the highest scores to return, at most
     * @throws LabelTextException if the text cannot be encoded as it is
     */
    Preview preview(LabelText text, OptionalDouble threshold, int best) throws LabelTextException;

    /** Why an image has the tags that it has; empty if the image is unknown. */
    Optional<Explanation> explain(String imageId);

    /** How far known images have followed the vocabulary. Cheap: it is called every second. */
    SweepProgress progress();

    /**
     * The known images that are most like a text, best first.
     *
     * @throws LabelTextException if the text cannot be encoded as it is
     */
    List<SimilarImage> similar(String text, int count) throws LabelTextException;

    /** The same queries for the images of this instance alone. */
    default ImageQueries ofThisInstance() {
        return this;
    }
}
