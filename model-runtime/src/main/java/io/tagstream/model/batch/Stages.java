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
 * What is done to an image, stage by stage.
 *
 * <p><i>Threading notes.</i> {@link #fetch} and {@link #decode} are called by many threads at once, {@link #load},
 * {@link #encode} and {@link #score} by one, the rest by any.
 */
public interface Stages {
    /** Who serves an image; images of one source share a limit. */
    String source(ImageRequest request);

    /** Reads an image's bytes, within {@code longest} where its source is remote; blocks. */
    EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException;

    /** Bytes that {@link #decode} writes. */
    int pixelBytes();

    /** Decodes an image into a direct buffer of {@link #pixelBytes} bytes. */
    ImageSize decode(EncodedImage image, ByteBuffer target) throws ImageException, InterruptedException;

    /** Takes over a batch: copies its pixels, which are free for other images from then on. */
    void load(List<ByteBuffer> pixels);

    /** Encodes the batch that was loaded; returns each image's features, in its order. */
    List<ImageFeatures> encode(int images) throws Exception;

    /** The length of an image's features. */
    int featureBytes();

    /** How many images may be scored at a time where others wait for the model: about 20 ms' worth. */
    int imagesPerPart(LabelVectors labels);

    /**
     * Scores any number of images by their features, each of {@link #featureBytes} bytes.
     *
     * @return [images][labels] scores
     */
    float[][] score(List<ImageFeatures> images, LabelVectors labels) throws Exception;
}
