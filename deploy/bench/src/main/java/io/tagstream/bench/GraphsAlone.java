/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.onnx.OnnxModelRuntime;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Map;

/** The processor time of a bundle's image encoder and decoder, with nothing around them. */
final class GraphsAlone {
    private static final int BATCH = 8;
    private static final int WARM_UP = 50;
    private static final int RUNS = 250;
    private static final double NANOS_PER_MILLI = 1e6;

    private GraphsAlone() {}

    /** Milliseconds per image, in batches of {@value #BATCH} against so many labels. */
    static double millis(Bundle bundle, int labels) {
        Image image = bundle.description().image();
        ByteBuffer pixels = ByteBuffer.allocateDirect(BATCH * image.size() * image.size() * 3);
        FloatBuffer vectors = ByteBuffer.allocateDirect(Float.BYTES * labels * image.embeddingSize())
                .asFloatBuffer();
        // the runtime makes ONNX Runtime's environment, on a thread with the stack that this needs
        try (OnnxModelRuntime runtime =
                        OnnxModelRuntime.builder(bundle).inferenceThreads(1).build();
                OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            options.setIntraOpNumThreads(1);
            try (OrtSession encoder = environment.createSession(bundle.imageEncoder(), options);
                    OrtSession decoder =
                            environment.createSession(bundle.decoder().orElseThrow(), options);
                    OnnxTensor input = OnnxTensor.createTensor(
                            environment,
                            pixels,
                            new long[] {BATCH, image.size(), image.size(), 3},
                            OnnxJavaType.UINT8);
                    OnnxTensor asked =
                            OnnxTensor.createTensor(environment, vectors, new long[] {labels, image.embeddingSize()})) {
                long began = 0;
                for (int run = -WARM_UP; run < RUNS; run++) {
                    if (run == 0) {
                        began = ProcessUsage.threadNanos();
                    }
                    try (OrtSession.Result encoded = encoder.run(Map.of("pixels", input));
                            OrtSession.Result decoded = decoder.run(Map.of(
                                    "tokens", (OnnxTensor) encoded.get("tokens").orElseThrow(), "labels", asked))) {
                        if (decoded.size() != 1) {
                            throw OperatorException.failed("the decoder has " + decoded.size() + " outputs");
                        }
                    }
                }
                return (ProcessUsage.threadNanos() - began) / NANOS_PER_MILLI / RUNS / BATCH;
            }
        } catch (OrtException e) {
            throw OperatorException.failed("ONNX Runtime cannot run the graphs: " + e.getMessage(), e);
        }
    }
}
