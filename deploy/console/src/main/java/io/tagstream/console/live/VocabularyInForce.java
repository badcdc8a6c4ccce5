/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

/**
 * The vocabulary that this instance tags with.
 *
 * @param epoch its epoch, -1 for none
 * @param labels how many labels it has
 */
public record VocabularyInForce(long epoch, int labels) {}
