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
 * Questions about all known images, wherever their state is kept. Nothing is changed by asking.
 *
 * <p>Every method throws {@link QueryUnavailableException} while part of the state cannot be asked, as during a
 * rebalance.
 *
 * <p><i>Threading notes.</i> Called from any number of threads at a time; each call may block for seconds.
 */
public interface ImageQueries {
    /**
     * How many known images a label would match, without its being in the vocabulary.
     *
     * @param text the label's name and prompts
     * @param threshold the label's own, in [0, 1], if it has one
     * @param best at most so many of the images with the highest scores
     * @throws LabelTextException if the text cannot be encoded as it is
     */
    Preview preview(LabelText text, OptionalDouble threshold, int best) throws LabelTextException;

    /** Why an image has the tags that it has; empty for an image that is not known. */
    Optional<Explanation> explain(String imageId);

    /** How far known images have come in following the vocabulary. Cheap: it is asked every second. */
    SweepProgress progress();

    /**
     * The known images that are most like a text, best first.
     *
     * @throws LabelTextException if the text cannot be encoded as it is
     */
    List<SimilarImage> similar(String text, int count) throws LabelTextException;

    /** The same questions, of the images of this instance alone. */
    default ImageQueries ofThisInstance() {
        return this;
    }
}
