/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.tagstream.cluster.vocabulary.TopicEditor;
import io.tagstream.cluster.vocabulary.VocabularyEditor;
import io.tagstream.console.api.ApiServices;
import io.tagstream.console.api.Status;
import io.tagstream.console.images.ImageIntake;
import io.tagstream.console.images.Thumbnails;
import io.tagstream.console.live.LiveViews;
import io.tagstream.console.live.TopicFollower;
import io.tagstream.console.live.VocabularyInForce;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.query.ImageQueries;
import io.tagstream.topology.query.QueryUnavailableException;
import io.tagstream.topology.query.SweepProgress;
import io.tagstream.topology.records.Contracts;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that a console shows of a running Tagstream. Owns the topic follower, the search index, and the image
 * intake.
 */
public final class ConsoleServices implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ConsoleServices.class);

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final Console console;

    /**
     * Starts serving.
     *
     * @param instance owned by the caller
     * @param uploads the directory for pictures that people submit; empty if they may not submit any
     * @param queries answers from the topology's state, if it has any
     */
    public ConsoleServices(
            Console console,
            TagstreamConfig config,
            Contracts contracts,
            ShownInstance instance,
            Optional<Path> uploads,
            Optional<ImageQueries> queries) {
        this.console = console;
        LiveViews views = new LiveViews();
        Optional<SearchIndex> search = config.getBoolean(ConsoleKeys.SEARCH_ENABLED)
                ? Optional.of(own(SearchIndex.open(
                        Path.of(config.getString(TagstreamConfig.STATE_DIR), "search", config.applicationId()))))
                : Optional.empty();
        TopicFollower follower = own(new TopicFollower(
                config,
                contracts,
                search,
                views,
                () -> inForce(instance.tagstream()),
                () -> queries.flatMap(ConsoleServices::progress)));
        Optional<VocabularyEditor> editor = config.getBoolean(ConsoleKeys.CONSOLE_WRITABLE)
                ? Optional.of(new TopicEditor(config, contracts))
                : Optional.empty();
        Optional<ImageIntake> intake = uploads.map(directory -> own(new ImageIntake(config, contracts, directory)));
        Optional<Thumbnails> thumbnails = uploads.map(directory -> own(new Thumbnails(config)));
        Status.Features features = new Status.Features(
                editor.isPresent(),
                intake.isPresent(),
                thumbnails.isPresent(),
                search.isPresent(),
                queries.isPresent());
        StatusSource status = new StatusSource(instance, views.failures(), search, follower, features);
        follower.start();
        console.api().serve(new ApiServices(search, queries, editor, intake, thumbnails, views, status::look));
    }

    private static VocabularyInForce inForce(Tagstream tagstream) {
        return new VocabularyInForce(tagstream.vocabularyEpoch(), tagstream.vocabularySize());
    }

    private static Optional<SweepProgress> progress(ImageQueries queries) {
        try {
            return Optional.of(queries.progress());
        } catch (QueryUnavailableException e) {
            log.debug("The progress is not available now", e);
            return Optional.empty();
        }
    }

    private <T extends AutoCloseable> T own(T part) {
        parts.push(part);
        return part;
    }

    @Override
    public void close() {
        console.api().release();
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) { // the other parts are closed regardless
                log.warn("A part of the console did not close cleanly", e);
            }
        }
    }
}
