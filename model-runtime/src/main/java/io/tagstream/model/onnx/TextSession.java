/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription.Pooling;
import io.tagstream.model.text.TextGraph;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The text encoder on ONNX Runtime. */
final class TextSession implements TextGraph, AutoCloseable {
    private static final String IDS = "input_ids";
    private static final String MASK = "attention_mask";
    private static final String TYPES = "token_type_ids";
    private static final String EMBEDDING = "embedding";

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final Pooling pooling;
    private final int size;
    private final boolean takesTypes;
    private final String output;

    TextSession(OrtEnvironment environment, SessionFactory factory, Bundle bundle) {
        String file = bundle.description().text().file();
        this.environment = environment;
        this.pooling = bundle.description().text().pooling();
        this.size = bundle.description().image().embeddingSize();
        this.session = factory.open(bundle, file, bundle.textEncoder());
        boolean complete = false;
        try {
            GraphContract contract = new GraphContract(bundle, file, session)
                    .input(IDS, OnnxJavaType.INT64, GraphContract.FREE, GraphContract.FREE)
                    .input(MASK, OnnxJavaType.INT64, GraphContract.FREE, GraphContract.FREE);
            contract.noInputsBut(IDS, MASK, TYPES);
            this.takesTypes = contract.hasInput(TYPES);
            this.output = pooling == Pooling.NONE ? EMBEDDING : contract.firstOutput();
            if (pooling == Pooling.NONE) {
                contract.output(output, OnnxJavaType.FLOAT, GraphContract.FREE, size);
            } else {
                contract.output(output, OnnxJavaType.FLOAT, GraphContract.FREE, GraphContract.FREE, size);
            }
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    @Override
    public float[] encode(long[] tokens) {
        long[] shape = {1, tokens.length};
        long[] mask = new long[tokens.length];
        Arrays.fill(mask, 1);
        try (OnnxTensor ids = OnnxTensor.createTensor(environment, LongBuffer.wrap(tokens), shape);
                OnnxTensor masks = OnnxTensor.createTensor(environment, LongBuffer.wrap(mask), shape);
                OnnxTensor types =
                        OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[tokens.length]), shape)) {
            Map<String, OnnxTensor> inputs = new HashMap<>(Map.of(IDS, ids, MASK, masks));
            if (takesTypes) {
                inputs.put(TYPES, types);
            }
            try (OrtSession.Result result = session.run(inputs, Set.of(output))) {
                FloatBuffer states = ((OnnxTensor) result.get(0)).getFloatBuffer();
                return pool(states, tokens.length);
            }
        } catch (OrtException e) {
            throw new TextGraphException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        Sessions.close(session);
    }

    private float[] pool(FloatBuffer states, int tokens) {
        float[] pooled = new float[size];
        if (pooling != Pooling.MEAN) {
            states.get(0, pooled);
            return pooled;
        }
        for (int token = 0; token < tokens; token++) {
            for (int i = 0; i < size; i++) {
                pooled[i] += states.get(token * size + i) / tokens;
            }
        }
        return pooled;
    }
}
