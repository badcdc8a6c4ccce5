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
 * ONNX Runtime's environment, one a process.
 *
 * <p>It is made on a thread with a deep stack: ONNX Runtime 1.29 matches a regular expression against the process's
 * surroundings while it starts, by recursion over every character; a long command line, such as one with a long class
 * path, overflows Java's default stack of 1 MB, which ends the process without a word.
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
                    : new IllegalStateException("ONNX Runtime does not start", e.getCause());
        }
    }

    private static OrtEnvironment make() {
        OrtEnvironment environment = OrtEnvironment.getEnvironment("tagstream");
        try {
            // for Windows, where no variable does
            environment.setTelemetry(false);
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime's reports to its maker cannot be switched off", e);
        }
        return environment;
    }
}
