/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.ImageFeatures;
import io.tagstream.model.LabelVectors;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What runs the model: the processor or a GPU. A GPU that works on two batches at a time is two of these with one name.
 *
 * <p><i>Threading notes.</i> Each has a thread of its own, which alone calls it, {@link #name} apart.
 */
public interface Device {
    /** Such as {@code cpu} or {@code cuda:0}. */
    String name();

    /** Copies the pixels of a batch. The buffers are free for other images when it returns. */
    void load(List<ByteBuffer> pixels);

    /** Encodes the loaded batch, and returns the images' features in the same order. */
    List<ImageFeatures> encode(int images) throws Exception;

    /**
     * Scores any number of images from their features, each of {@link Stages#featureBytes} bytes.
     *
     * @return [images][labels] scores
     */
    float[][] score(List<ImageFeatures> images, LabelVectors labels) throws Exception;

    /** Runs the model on an image without content; fails if the device does not work. */
    default void probe() throws Exception {}
}
