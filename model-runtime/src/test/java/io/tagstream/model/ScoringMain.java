/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.onnx.OnnxModelRuntime;

/** A program that loads a model, which scores the images of its self-test. */
public final class ScoringMain {
    static final String DONE = "scored";

    private ScoringMain() {}

    /** No arguments. */
    public static void main(String[] arguments) {
        try (ModelRuntime runtime = OnnxModelRuntime.builder(Bundle.load("classpath:io/tagstream/bundles/tiny"))
                .build()) {
            System.out.println(runtime.description().id() + " " + DONE);
        }
    }
}
