/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * ONNX Runtime's environment, one a process.
 *
 * <p>It is made on a thread with a deep stack: ONNX Runtime 1.29 matches a regular expression against the process's
 * surroundings while it starts, by recursion over every character; a long command line, such as one with a long class
 * path, overflows Java's default stack of 1 MB, which ends the process without a word.
 */
final class Environment {
    private static final long STACK_BYTES = 64L * 1024 * 1024;

    private Environment() {}

    static OrtEnvironment get() {
        CompletableFuture<OrtEnvironment> made = CompletableFuture.supplyAsync(
                () -> OrtEnvironment.getEnvironment("tagstream"),
                task -> new Thread(null, task, "onnx-environment", STACK_BYTES).start());
        try {
            return made.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException failure
                    ? failure
                    : new IllegalStateException("ONNX Runtime does not start", e.getCause());
        }
    }
}
