/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.time.Instant;
import java.util.Optional;

/**
 * Creates and checks the indices of a search server, and decides which of them searches go to. Each index stores its
 * {@link IndexOrigin}: what it was made from.
 *
 * <p>All methods throw an {@link io.tagstream.cluster.OperatorException} if the server does not answer or refuses.
 *
 * <p><i>Threading notes.</i> Thread-safe.
 */
public interface IndexKeeper {
    /** The index that searches go to, if there is one. */
    Optional<TagIndex> current();

    /**
     * The index that searches go to, after a check; or a new one, if there is none.
     *
     * @throws io.tagstream.cluster.OperatorException if the present index cannot be fed; the message says why and what
     *     to do
     */
    TagIndex open(TagsTopic topic);

    /**
     * An index to build beside the present one: the one that an earlier start began, if it is for the same topic, or a
     * new one.
     */
    TagIndex openBeside(TagsTopic topic);

    /** Points searches at {@code index} in one step, and deletes the index that they went to before. */
    void switchTo(TagIndex index);

    /** Makes everything written so far visible to searches. */
    void refresh(TagIndex index);

    /** Records that the index held everything in the topic at {@code when}. */
    void remember(TagIndex index, Instant when);

    /**
     * Why the index should no longer be fed; empty if all is well.
     *
     * @param searchable whether searches should go to it
     */
    Optional<String> trouble(TagIndex index, boolean searchable);
}
