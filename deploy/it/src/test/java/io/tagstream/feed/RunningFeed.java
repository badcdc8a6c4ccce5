/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tagstream.cluster.OperatorException;
import io.tagstream.feed.opensearch.OpenSearchTarget;
import io.tagstream.feed.opensearch.SearchServer;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** A feed in this process, on a separate thread. */
final class RunningFeed implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final OpenSearchTarget target;
    private final IndexFeed feed;
    private final CompletableFuture<Void> end = new CompletableFuture<>();

    private RunningFeed(TagstreamConfig config, Contracts contracts, String url, IndexFeed.Options options) {
        target = new OpenSearchTarget(SearchServer.at(List.of(URI.create(url)), Optional.empty()));
        feed = new IndexFeed(config, contracts, target, options, metrics);
        Thread thread = new Thread(this::run, "feed of " + options.alias());
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            feed.run(stopped::get);
            end.complete(null);
        } catch (Throwable e) {
            end.completeExceptionally(e);
        }
    }

    static RunningFeed start(TagstreamConfig config, Contracts contracts, String url, IndexFeed.Options options) {
        return new RunningFeed(config, contracts, url, options);
    }

    /** Waits until the feed ends in order. */
    void awaitEnd() throws InterruptedException, ExecutionException, TimeoutException {
        end.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits until the feed fails, and returns the message for the user. */
    String awaitFailure() throws InterruptedException, TimeoutException {
        try {
            end.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            throw new AssertionError("The feed ended without failing");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof OperatorException known) {
                return known.getMessage();
            }
            throw new AssertionError("The feed failed without a message for its user", e.getCause());
        }
    }

    Optional<String> notReadyBecause() {
        return feed.notReadyBecause();
    }

    boolean hasEnded() {
        return end.isDone();
    }

    double documents(String outcome) {
        return metrics.get(IndexMetric.DOCUMENTS.id())
                .tag("outcome", outcome)
                .counter()
                .count();
    }

    double retries() {
        return metrics.get(IndexMetric.RETRIES.id()).counter().count();
    }

    double lag() {
        return metrics.get(IndexMetric.LAG.id()).gauge().value();
    }

    /** Stops the feed in order if it is still running. */
    @Override
    public void close() throws InterruptedException {
        stopped.set(true);
        try {
            end.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            // the test has already seen this failure, or will fail anyway
        } finally {
            target.close();
        }
    }
}
