/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import io.tagstream.avro.Label;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Changes the vocabulary. */
public interface VocabularyEditor {
    /**
     * Writes changes and waits until they are in force or refused.
     *
     * @param changes labels by their ids, null for a label to remove
     * @return empty if the outcome is not known within {@code patience}; the changes are written all the same
     */
    Optional<ChangeWatch.Effect> apply(Map<String, Label> changes, Duration patience);
}
