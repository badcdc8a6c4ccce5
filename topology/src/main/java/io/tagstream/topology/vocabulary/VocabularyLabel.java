/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import java.util.List;
import java.util.OptionalDouble;

/**
 * A label in a snapshot.
 *
 * @param id the label's id
 * @param name the name that people see
 * @param prompts texts that describe it to the model; empty to use the model's own templates
 * @param threshold the label's own threshold in [0, 1], if it has one
 * @param active whether the label is emitted; a shadow label is only scored
 * @param vectorEpoch the vocabulary epoch at which its vector last changed: scores from older epochs were computed with
 *     another vector
 * @param changedEpoch the vocabulary epoch at which anything about it last changed
 */
public record VocabularyLabel(
        String id,
        String name,
        List<String> prompts,
        OptionalDouble threshold,
        boolean active,
        long vectorEpoch,
        long changedEpoch) {}
