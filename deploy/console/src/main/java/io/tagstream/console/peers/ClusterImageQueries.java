/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.peers;

import io.tagstream.console.api.ApiClient;
import io.tagstream.console.api.ApiException;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.topology.query.Explanation;
import io.tagstream.topology.query.ImageQueries;
import io.tagstream.topology.query.Preview;
import io.tagstream.topology.query.QueryUnavailableException;
import io.tagstream.topology.query.SimilarImage;
import io.tagstream.topology.query.SweepProgress;
import io.tagstream.topology.tagging.LocalImageQueries;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.apache.kafka.streams.state.HostInfo;

/**
 * Answers questions about the images of all instances: for this instance from its own stores, and for the others by
 * asking them at the addresses that they advertise. If one instance does not answer, the whole answer is unavailable:
 * otherwise half of the images would look like all of them.
 *
 * <p><i>Threading notes.</i> Thread-safe. The other instances are asked in parallel; each question blocks until all
 * have answered.
 */
public final class ClusterImageQueries implements ImageQueries {
    private final LocalImageQueries local;
    private final Optional<String> token;

    /**
     * Adds the other instances to the queries of this one.
     *
     * @param token {@code console.token}, which all instances share, if there is one
     */
    public ClusterImageQueries(LocalImageQueries local, Optional<String> token) {
        this.local = local;
        this.token = token;
    }

    @Override
    public ImageQueries ofThisInstance() {
        return local;
    }

    @Override
    public Preview preview(LabelText text, OptionalDouble threshold, int best) throws LabelTextException {
        List<CompletableFuture<Preview>> others = askOthers(client -> client.preview(text, threshold, best));
        List<Preview> all = new ArrayList<>(List.of(local.preview(text, threshold, best)));
        others.forEach(other -> all.add(joined(other)));
        Map<Double, Long> counts = new TreeMap<>();
        all.forEach(preview -> preview.thresholds()
                .forEach(matches -> counts.merge(matches.threshold(), matches.images(), Long::sum)));
        return new Preview(
                all.stream().mapToLong(Preview::knownImages).sum(),
                all.stream().mapToLong(Preview::unknownImages).sum(),
                all.get(0).emittedFrom(),
                counts.entrySet().stream()
                        .map(count -> new Preview.Matches(count.getKey(), count.getValue()))
                        .toList(),
                all.stream()
                        .flatMap(preview -> preview.best().stream())
                        .sorted(Preview.ScoredImage.BEST_FIRST)
                        .limit(best)
                        .toList());
    }

    @Override
    public Optional<Explanation> explain(String imageId) {
        Optional<HostInfo> elsewhere = local.elsewhere(imageId);
        if (elsewhere.isEmpty()) {
            return local.explain(imageId);
        }
        try {
            return client(elsewhere.get()).explain(imageId);
        } catch (ApiException e) {
            throw unavailable(e);
        }
    }

    @Override
    public SweepProgress progress() {
        List<CompletableFuture<SweepProgress>> others = askOthers(ApiClient::progress);
        List<SweepProgress> all = Stream.concat(
                        Stream.of(local.progress()), others.stream().map(ClusterImageQueries::joined))
                .toList();
        return new SweepProgress(
                all.stream().mapToLong(SweepProgress::targetEpoch).max().orElseThrow(),
                all.stream().mapToLong(SweepProgress::done).sum(),
                all.stream().mapToLong(SweepProgress::total).sum(),
                all.stream().anyMatch(SweepProgress::active));
    }

    @Override
    public List<SimilarImage> similar(String text, int count) throws LabelTextException {
        return preview(new LabelText(text, List.of()), OptionalDouble.empty(), count).best().stream()
                .map(image -> new SimilarImage(image.imageId(), image.uri(), image.score()))
                .toList();
    }

    private interface Question<T> {
        T ask(ApiClient instance) throws ApiException;
    }

    private <T> List<CompletableFuture<T>> askOthers(Question<T> question) {
        return local.others().stream()
                .map(other -> CompletableFuture.supplyAsync(() -> {
                    try {
                        return question.ask(client(other));
                    } catch (ApiException e) {
                        throw unavailable(e);
                    }
                }))
                .toList();
    }

    private ApiClient client(HostInfo instance) {
        return new ApiClient(
                URI.create("http://%s:%d".formatted(instance.host(), instance.port())),
                token,
                ApiClient.Scope.INSTANCE);
    }

    private static <T> T joined(CompletableFuture<T> answer) {
        try {
            return answer.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof QueryUnavailableException unavailable ? unavailable : e;
        }
    }

    private static QueryUnavailableException unavailable(ApiException e) {
        return new QueryUnavailableException("Another instance has the data of some images: " + e.getMessage(), e);
    }
}
