/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.batch.Device;
import java.nio.ByteBuffer;
import java.util.List;

/** A device on ONNX Runtime. Whoever makes it closes its scorer. */
record OnnxDevice(String name, ImageScorer scorer) implements Device {
    @Override
    public void load(List<ByteBuffer> pixels) {
        for (int i = 0; i < pixels.size(); i++) {
            scorer.pixels(i).put(pixels.get(i).duplicate());
        }
    }

    @Override
    public List<ImageFeatures> encode(int images) throws OrtException {
        return scorer.encode(images);
    }

    @Override
    public float[][] score(List<ImageFeatures> images, LabelVectors labels) throws OrtException {
        return scorer.score(images, labels);
    }

    /** Encodes whatever was loaded last. */
    @Override
    public void probe() throws OrtException {
        scorer.encode(1);
    }
}
