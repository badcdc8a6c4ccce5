/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.tagstream.cluster.vocabulary.VocabularyEditor;
import io.tagstream.console.images.ImageIntake;
import io.tagstream.console.images.Thumbnails;
import io.tagstream.console.live.LiveViews;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.topology.query.ImageQueries;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The services behind the API. An empty one is unavailable on this instance, and the API says so.
 *
 * @param search all images
 * @param queries answers that only the topology's state can give
 * @param editor changes the vocabulary
 * @param intake accepts images for tagging
 * @param thumbnails makes small pictures of images
 * @param views the vocabulary, recent failures, and events
 * @param status what the instance is doing
 */
public record ApiServices(
        Optional<SearchIndex> search,
        Optional<ImageQueries> queries,
        Optional<VocabularyEditor> editor,
        Optional<ImageIntake> intake,
        Optional<Thumbnails> thumbnails,
        LiveViews views,
        Supplier<Status> status) {}
