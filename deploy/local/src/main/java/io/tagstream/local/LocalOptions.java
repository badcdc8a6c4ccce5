/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What local mode is asked to do.
 *
 * @param images paths and URLs of images
 * @param once whether to end once every image has its outcome
 * @param dataDirectory where to keep data for the next run
 * @param settings further settings
 */
public record LocalOptions(
        List<String> images,
        boolean once,
        Tagging tagging,
        Optional<Path> dataDirectory,
        Ports ports,
        Map<String, String> settings) {
    /**
     * How to tag.
     *
     * @param vocabulary the file that replaces the vocabulary
     * @param topK maximum number of tags per image, instead of the bundle's
     * @param minScore the threshold of every label, instead of their own and the bundle's
     */
    public record Tagging(Optional<Path> vocabulary, OptionalInt topK, OptionalDouble minScore) {}

    /**
     * Where to listen.
     *
     * @param kafka Kafka's port, 0 for a free one
     * @param http the console's port, 0 for a free one; empty for 8080, or a free one if that is taken
     */
    public record Ports(int kafka, OptionalInt http) {}
}
