/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.tagstream.model.Telemetry;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime's environment; a process has one.
 *
 * <p>It is made on a thread with a deep stack. While it starts, ONNX Runtime 1.29 matches a regular expression against
 * the process's surroundings, by recursion over every character. A long command line, such as one with a long class
 * path, would overflow Java's default stack of 1 MB and end the process without an error.
 */
final class Environment {
    private static final Logger LOG = LoggerFactory.getLogger(Environment.class);
    private static final AtomicBoolean WARNED = new AtomicBoolean();
    private static final long STACK_BYTES = 64L * 1024 * 1024;

    private Environment() {}

    static OrtEnvironment get() {
        if (WARNED.compareAndSet(false, true)) {
            Telemetry.warning(System.getenv(), System.getProperty("os.name")).ifPresent(LOG::warn);
        }
        CompletableFuture<OrtEnvironment> made = CompletableFuture.supplyAsync(
                Environment::make, task -> new Thread(null, task, "onnx-environment", STACK_BYTES).start());
        try {
            return made.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException failure
                    ? failure
                    : new IllegalStateException("ONNX Runtime does not start: " + e.getCause(), e.getCause());
        }
    }

    private static OrtEnvironment make() {
        OrtEnvironment environment = OrtEnvironment.getEnvironment("tagstream");
        try {
            // Windows has no variable for this
            environment.setTelemetry(false);
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime's telemetry cannot be switched off", e);
        }
        return environment;
    }
}
