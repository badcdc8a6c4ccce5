/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.image.EncodedImage;
import io.tagstream.model.image.ImageSize;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/**
 * The stages that an image passes.
 *
 * <p><i>Threading notes.</i> Many threads call {@link #fetch} and {@link #decode} at once, one calls {@link #load},
 * {@link #encode} and {@link #score}, and any may call the rest.
 */
public interface Stages {
    /** Who serves an image; images with one source share a limit. */
    String source(ImageRequest request);

    /** Reads an image's bytes, within {@code longest} if a server has them. Blocks. */
    EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException;

    /** The number of bytes that {@link #decode} writes. */
    int pixelBytes();

    /** Decodes an image into a direct buffer of {@link #pixelBytes} bytes. */
    ImageSize decode(EncodedImage image, ByteBuffer target) throws ImageException, InterruptedException;

    /** Copies the pixels of a batch. The buffers are free for other images when it returns. */
    void load(List<ByteBuffer> pixels);

    /** Encodes the loaded batch, and returns the images' features in the same order. */
    List<ImageFeatures> encode(int images) throws Exception;

    /** The length of an image's features, in bytes. */
    int featureBytes();

    /** How many images to score at a time while others wait for the model: about 20 ms' worth. */
    int imagesPerPart(LabelVectors labels);

    /**
     * Scores any number of images from their features, each of {@link #featureBytes} bytes.
     *
     * @return [images][labels] scores
     */
    float[][] score(List<ImageFeatures> images, LabelVectors labels) throws Exception;
}
