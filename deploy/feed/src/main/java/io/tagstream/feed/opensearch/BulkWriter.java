/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import io.tagstream.feed.DocumentWriter;
import io.tagstream.feed.Refusal;
import io.tagstream.feed.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.opensearch.client.opensearch._helpers.bulk.BulkIngester;
import org.opensearch.client.opensearch._helpers.bulk.BulkListener;
import org.opensearch.client.opensearch._types.VersionType;
import org.opensearch.client.opensearch.core.BulkRequest;
import org.opensearch.client.opensearch.core.BulkResponse;
import org.opensearch.client.opensearch.core.bulk.BulkOperation;
import org.opensearch.client.opensearch.core.bulk.BulkResponseItem;
import org.opensearch.client.util.BinaryData;
import org.opensearch.client.util.ContentType;

/**
 * Writes documents through the client's bulk ingester, which collects them into requests, and reports the outcome of
 * each.
 *
 * <p>This class and the feed make up for what the ingester (opensearch-java 3.9.0) lacks. The ingester retries a
 * document only if the server answers 429 for it, not if a request fails as a whole, so its own retries are off and
 * only the feed retries. If three threads wait for the ingester to have room, one can wait forever, so only one thread
 * adds and flushes. That thread cannot be interrupted while it waits, so it first asks whether it would have to wait.
 *
 * <p><i>Threading notes.</i> One thread calls all methods. The ingester's threads record outcomes, and that thread
 * takes them.
 */
public final class BulkWriter implements DocumentWriter {
    public static final long BYTES = 5L * 1024 * 1024;
    /** A generous estimate of an action's size without its document. */
    private static final int ACTION_BYTES = 2_048;

    /** The longest id, in bytes of UTF-8, that the servers accept; a longer one makes them refuse the whole request. */
    private static final int LONGEST_ID = 512;

    private final int documents;
    private final int requests;
    private final ScheduledExecutorService listening;
    private final BulkIngester<Write> ingester;
    private final Queue<Outcome> outcomes = new ConcurrentLinkedQueue<>();
    private final AtomicInteger requestsUnderWay = new AtomicInteger();
    private final Semaphore news = new Semaphore(0);

    /**
     * @param index the alias to write through
     * @param documents maximum number of documents per request
     * @param requests maximum number of concurrent requests
     */
    BulkWriter(SearchServer server, String index, int documents, int requests) {
        this.documents = documents;
        this.requests = requests;
        this.listening = Executors.newScheduledThreadPool(requests, task -> {
            Thread thread = new Thread(task, "tagstream-index-outcomes");
            thread.setDaemon(true);
            return thread;
        });
        this.ingester = BulkIngester.of(builder -> builder.client(server.client())
                .globalSettings(settings -> settings.index(index).requireAlias(true))
                .maxOperations(documents)
                .maxSize(BYTES)
                .maxConcurrentRequests(requests)
                .scheduler(listening)
                .listener(new Listener()));
    }

    @Override
    public boolean hasRoom() {
        return requestsUnderWay.get() < requests
                || (ingester.pendingOperations() + 1 < documents
                        && ingester.pendingOperationsSize() + ACTION_BYTES < BYTES / 2);
    }

    @Override
    public void add(Write write) {
        if (write.imageId().getBytes(StandardCharsets.UTF_8).length > LONGEST_ID) {
            Refusal tooLong = new Refusal(
                    Refusal.Kind.REJECTED,
                    "the image id is longer than %d bytes, the limit of a document's id".formatted(LONGEST_ID));
            put(new Outcome(write, tooLong));
            return;
        }
        ingester.add(operation(write), write);
    }

    private BulkOperation operation(Write write) {
        return BulkOperation.of(operation -> operation.index(action -> action.id(write.imageId())
                .version(write.offset())
                .versionType(VersionType.External)
                .document(BinaryData.of(write.document(), ContentType.APPLICATION_JSON))));
    }

    @Override
    public void flush() {
        if (requestsUnderWay.get() < requests) {
            ingester.flush();
        }
    }

    @Override
    public List<Outcome> outcomes() {
        List<Outcome> taken = new ArrayList<>();
        for (Outcome next = outcomes.poll(); next != null; next = outcomes.poll()) {
            taken.add(next);
        }
        return taken;
    }

    @Override
    public void awaitOutcomes(Duration patience) throws InterruptedException {
        if (outcomes.isEmpty() && news.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            news.drainPermits();
        }
    }

    private void put(Outcome outcome) {
        outcomes.add(outcome);
    }

    /** Called by the ingester: before a request on the thread that sends it, after it on the ingester's own threads. */
    private final class Listener implements BulkListener<Write> {
        @Override
        public void beforeBulk(long execution, BulkRequest request, List<Write> writes) {
            requestsUnderWay.incrementAndGet();
        }

        @Override
        public void afterBulk(long execution, BulkRequest request, List<Write> writes, BulkResponse response) {
            List<BulkResponseItem> items = response.items();
            Refusal incomplete = new Refusal(
                    Refusal.Kind.MAY_PASS,
                    "the response covers %d documents, but %d were sent".formatted(items.size(), writes.size()));
            for (int i = 0; i < writes.size(); i++) {
                Refusal refusal = items.size() == writes.size() ? refusal(items.get(i)) : incomplete;
                put(new Outcome(writes.get(i), refusal));
            }
            ended();
        }

        @Override
        public void afterBulk(long execution, BulkRequest request, List<Write> writes, Throwable failure) {
            Refusal refusal = OpenSearchRefusals.of(failure, writes.size() == 1);
            writes.forEach(write -> put(new Outcome(write, refusal)));
            ended();
        }

        private static Refusal refusal(BulkResponseItem item) {
            return item.error() == null ? null : OpenSearchRefusals.of(item);
        }

        private void ended() {
            requestsUnderWay.decrementAndGet();
            news.release();
        }
    }

    @Override
    public void close() {
        try {
            ingester.close();
        } finally {
            listening.shutdownNow();
        }
    }
}
