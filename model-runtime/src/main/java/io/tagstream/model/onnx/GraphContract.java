/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.tagstream.model.bundle.Bundle;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** Checks a graph's inputs and outputs against {@code BUNDLE.md}. */
final class GraphContract {
    /** A dimension that must be free. */
    static final long FREE = -1;

    private final Bundle bundle;
    private final String file;
    private final Map<String, NodeInfo> inputs;
    private final Map<String, NodeInfo> outputs;

    GraphContract(Bundle bundle, String file, OrtSession session) {
        this.bundle = bundle;
        this.file = file;
        try {
            this.inputs = session.getInputInfo();
            this.outputs = session.getOutputInfo();
        } catch (OrtException e) {
            throw bundle.wrong(file, "readable inputs and outputs", e.getMessage());
        }
    }

    boolean hasInput(String name) {
        return inputs.containsKey(name);
    }

    GraphContract input(String name, OnnxJavaType type, long... shape) {
        check("input", inputs, name, type, shape);
        return this;
    }

    GraphContract output(String name, OnnxJavaType type, long... shape) {
        check("output", outputs, name, type, shape);
        return this;
    }

    /** Fails if there are other inputs, for which there would be no values. */
    void noInputsBut(String... names) {
        for (String input : inputs.keySet()) {
            if (!Arrays.asList(names).contains(input)) {
                throw bundle.wrong(file, "no inputs but " + Arrays.toString(names), "input " + input);
            }
        }
    }

    String firstOutput() {
        return outputs.keySet().iterator().next();
    }

    private void check(String kind, Map<String, NodeInfo> nodes, String name, OnnxJavaType type, long... shape) {
        String expected = "%s %s %s%s".formatted(kind, name, type, text(shape));
        NodeInfo node = nodes.get(name);
        if (node == null) {
            throw bundle.wrong(file, expected, kind + "s " + nodes.keySet());
        }
        if (!(node.getInfo() instanceof TensorInfo info)) {
            throw bundle.wrong(file, expected, node.getInfo().toString());
        }
        boolean fits = info.type == type && info.getShape().length == shape.length;
        for (int i = 0; fits && i < shape.length; i++) {
            long found = info.getShape()[i];
            // exporters leave dimensions free that could be fixed, but never fix free ones
            fits = found == shape[i] || (shape[i] != FREE && found == FREE);
        }
        if (!fits) {
            throw bundle.wrong(file, expected, "%s %s %s%s".formatted(kind, name, info.type, text(info.getShape())));
        }
    }

    private static String text(long[] shape) {
        return Arrays.stream(shape)
                .mapToObj(dimension -> dimension == FREE ? "?" : String.valueOf(dimension))
                .collect(Collectors.joining(",", "[", "]"));
    }
}
