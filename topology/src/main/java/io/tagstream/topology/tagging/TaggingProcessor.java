/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.waits.Waits;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Tags a task's images: asynchronously, in batches shared with all other tasks, each image exactly once.
 *
 * <p><i>How an image passes.</i> {@link #process} puts it into the pending store and returns; from then on the record
 * can be committed, so anything kept only in memory would be lost in a crash. When the image's turn has come it is
 * submitted to the shared runtime. Only the wall-clock punctuator forwards its completion, and deletes the pending
 * entry in the same transaction. {@link #init} resubmits what the store still holds. So input offset, pending entry and
 * outcome commit together under {@code exactly_once_v2}, and every accepted record has exactly one outcome: tags, a
 * failure, or a deletion.
 *
 * <p><i>Back-pressure.</i> Nothing waits here: when a task owes as many outcomes as it may, the {@link Inflow} holds
 * back its input partition, and the other tasks of its thread continue.
 *
 * <p><i>Order.</i> Of the images with the same id only the oldest is in flight; the next follows when that outcome has
 * been forwarded. Different ids never wait for each other.
 *
 * <p><i>No going backwards.</i> The task stores the highest vocabulary epoch and control revision that it has worked
 * with, and works with nothing older: after it has moved to an instance that lags behind, it waits, and says so
 * ({@link Waits}). Nor does it work with a vocabulary that is for another bundle. If the vocabulary changes while an image is being scored, the image is scored against the
 * changes, from its features, before its outcome is emitted.
 *
 * <p><i>Known images</i> follow the vocabulary through the {@link Sweeper}, whose results the same punctuator forwards.
 *
 * <p><i>Generations.</i> Kafka Streams calls {@link #init} again on the same object when it revives a task. All state
 * in flight lives in a {@link Generation} made by {@code init}, and completions belong to one generation: those of a
 * closed generation reach nobody.
 *
 * <p><i>Threading notes.</i> All methods are called by the task's stream thread. The runtime's threads touch only a
 * generation's completion queue.
 */
final class TaggingProcessor implements Processor<String, byte[], Object, byte[]> {
    private final TaggingContext shared;
    private Generation generation;

    TaggingProcessor(TaggingContext shared) {
        this.shared = shared;
    }

    @Override
    public void init(ProcessorContext<Object, byte[]> context) {
        generation = new Generation(context, shared);
        generation.resume();
    }

    @Override
    public void process(Record<String, byte[]> accepted) {
        generation.accept(accepted);
    }

    @Override
    public void close() {
        if (generation != null) {
            generation.close();
            generation = null;
        }
    }
}
