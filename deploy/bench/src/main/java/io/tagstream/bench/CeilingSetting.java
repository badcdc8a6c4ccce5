/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.model.bundle.BundleDescription.TokenType;
import java.util.Locale;

/**
 * What {@link CeilingBenchmark} starts an instance with.
 *
 * @param shape the shapes of the graphs
 * @param tokens how they give and take tokens
 * @param features {@code image.features}
 * @param threads stream threads
 */
record CeilingSetting(CeilingShape shape, TokenType tokens, String features, int threads) {
    @Override
    public String toString() {
        return "%s, tokens %s, features %s, %d stream thread%s"
                .formatted(shape, tokens.name().toLowerCase(Locale.ROOT), features, threads, threads == 1 ? "" : "s");
    }
}
