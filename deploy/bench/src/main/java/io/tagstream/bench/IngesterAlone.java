/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.OperatorException;
import io.tagstream.feed.IndexFeed;
import io.tagstream.feed.TagDocument;
import io.tagstream.feed.opensearch.BulkWriter;
import io.tagstream.feed.opensearch.IndexMapping;
import io.tagstream.feed.opensearch.OpenSearchRefusals;
import io.tagstream.feed.opensearch.SearchServer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.opensearch.client.opensearch._helpers.bulk.BulkIngester;
import org.opensearch.client.opensearch._helpers.bulk.BulkListener;
import org.opensearch.client.opensearch._types.VersionType;
import org.opensearch.client.opensearch.core.BulkRequest;
import org.opensearch.client.opensearch.core.BulkResponse;
import org.opensearch.client.opensearch.core.bulk.BulkOperation;
import org.opensearch.client.util.BinaryData;
import org.opensearch.client.util.ContentType;

/**
 * The client's bulk ingester alone, on prepared documents: the baseline for the feed's speed. Its requests have the
 * same size as the feed's, and the same number run at a time.
 */
public final class IngesterAlone {
    private final SearchServer server;
    private final List<BulkOperation> operations = new ArrayList<>();

    /** Makes the documents from events by image id. */
    public IngesterAlone(SearchServer server, Map<String, TagEvent> events) {
        this.server = server;
        Instant now = Instant.now();
        long version = 0;
        for (Map.Entry<String, TagEvent> event : events.entrySet()) {
            byte[] document = TagDocument.of(event.getValue(), now);
            long offset = version++;
            operations.add(BulkOperation.of(operation -> operation.index(action -> action.id(event.getKey())
                    .version(offset)
                    .versionType(VersionType.External)
                    .document(BinaryData.of(document, ContentType.APPLICATION_JSON)))));
        }
    }

    /**
     * Fills a new index.
     *
     * @return the time from the first document until the server has accepted the last
     * @throws OperatorException if the server does not accept all of them
     */
    public Duration fill(String index) {
        var body = new ObjectMapper().createObjectNode();
        body.set("mappings", IndexMapping.wanted());
        server.required("PUT", "/" + index, body);
        Failures failures = new Failures();
        long began = System.nanoTime();
        try (BulkIngester<Void> ingester = BulkIngester.of(builder -> builder.client(server.client())
                .globalSettings(settings -> settings.index(index))
                .maxOperations(IndexFeed.DOCUMENTS_A_REQUEST)
                .maxSize(BulkWriter.BYTES)
                .maxConcurrentRequests(IndexFeed.REQUESTS)
                .listener(failures))) {
            operations.forEach(ingester::add);
        }
        Duration taken = Duration.ofNanos(System.nanoTime() - began);
        failures.throwFirst();
        return taken;
    }

    /** Remembers the first failure. Called by the ingester's threads. */
    private static final class Failures implements BulkListener<Void> {
        private final AtomicReference<String> first = new AtomicReference<>();

        @Override
        public void beforeBulk(long execution, BulkRequest request, List<Void> contexts) {}

        @Override
        public void afterBulk(long execution, BulkRequest request, List<Void> contexts, BulkResponse response) {
            response.items().stream()
                    .filter(item -> item.error() != null)
                    .findFirst()
                    .ifPresent(item -> first.compareAndSet(
                            null, OpenSearchRefusals.of(item).reason()));
        }

        @Override
        public void afterBulk(long execution, BulkRequest request, List<Void> contexts, Throwable failure) {
            first.compareAndSet(null, OpenSearchRefusals.of(failure, false).reason());
        }

        void throwFirst() {
            if (first.get() != null) {
                throw OperatorException.failed("the server did not accept every document: " + first.get());
            }
        }
    }
}
