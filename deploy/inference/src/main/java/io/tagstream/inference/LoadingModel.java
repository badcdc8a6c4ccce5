/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.inference;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.onnx.OnnxModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A model runtime that is loaded by a thread of its own, which takes some seconds, while the caller prepares other
 * things.
 *
 * <p><i>Threading notes.</i> Any thread may call any method.
 */
public final class LoadingModel implements AutoCloseable {
    private final CompletableFuture<OnnxModelRuntime> runtime;

    private LoadingModel(CompletableFuture<OnnxModelRuntime> runtime) {
        this.runtime = runtime;
    }

    /**
     * Starts to load the model that a configuration describes.
     *
     * @param metrics the registry for its metrics
     */
    public static LoadingModel start(TagstreamConfig config, MeterRegistry metrics) {
        return new LoadingModel(CompletableFuture.supplyAsync(() -> ModelRuntimes.open(config, metrics), task -> {
            Thread loader = new Thread(task, "tagstream-model-loader");
            loader.setDaemon(true);
            loader.start();
        }));
    }

    /**
     * The model; waits until it is loaded.
     *
     * @throws OperatorException if it cannot be loaded
     */
    public OnnxModelRuntime get() {
        try {
            return runtime.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof OperatorException failure
                    ? failure
                    : OperatorException.failed("the model cannot be loaded: " + e.getCause(), e);
        }
    }

    /** Throws what {@link #get} throws, if the model is known by now to have failed to load. */
    public void failIfItCannotBeLoaded() {
        if (runtime.isCompletedExceptionally()) {
            get();
        }
    }

    /** Waits until it is loaded, and closes it. */
    @Override
    public void close() {
        runtime.handle((loaded, failure) -> loaded)
                .thenAccept(loaded -> {
                    if (loaded != null) {
                        loaded.close();
                    }
                })
                .join();
    }
}
