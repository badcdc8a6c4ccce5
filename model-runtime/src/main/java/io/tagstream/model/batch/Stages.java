/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.ImageException;
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
 * <p><i>Threading notes.</i> Many threads call {@link #fetch} and {@link #decode} at once, and any may call the
 * rest.
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

    /** What runs the model; at least one. Those with one name are one device that works on several batches. */
    List<Device> devices();

    /** The length of an image's features, in bytes. */
    int featureBytes();

    /** How many images to score at a time while others wait for the model: about 20 ms' worth. */
    int imagesPerPart(LabelVectors labels);
}
