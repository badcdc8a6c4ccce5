/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import java.util.OptionalDouble;

/**
 * A label of a snapshot.
 *
 * @param id the label's id
 * @param name what people see
 * @param threshold the label's own threshold in [0, 1], if it has one
 * @param active whether the label is emitted; a shadow label is scored only
 */
public record VocabularyLabel(String id, String name, OptionalDouble threshold, boolean active) {}
