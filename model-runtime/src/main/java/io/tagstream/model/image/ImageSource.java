/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Reads images by URIs of one scheme, or of a few schemes that work alike.
 *
 * <p>To add a scheme, write an implementation with its {@link Kind}, and add the kind to {@link ImageSources}.
 *
 * <p><i>Threading notes.</i> {@link #read} blocks and may be called by any number of threads; {@link #close} makes the
 * calls in progress fail.
 */
interface ImageSource extends AutoCloseable {
    /** Where the bytes of an image are. */
    enum Place {
        /** In a file of this machine. */
        FILE,
        /** In the URI itself. */
        URI,
        /** On a server. */
        SERVER
    }

    /** Opens a source. */
    interface Opener {
        /** Opens a source that reads streams with {@code reader} and connects only where {@code addresses} allows. */
        ImageSource open(FetchOptions options, LimitedReader reader, AddressPolicy addresses);
    }

    /**
     * What is known about a source before it is opened.
     *
     * @param schemes the schemes of its URIs, lower case
     * @param place where the bytes of its images are
     * @param example how one of its URIs begins, for messages
     * @param origin says who serves the image at a URI; images of one origin share a limit
     */
    record Kind(List<String> schemes, Place place, String example, UnaryOperator<String> origin, Opener opener) {}

    /**
     * Reads an image.
     *
     * @param uri the image's URI as submitted, with one of this source's schemes
     * @param longest how long a server may take, if that is less than the fetch timeout
     */
    LimitedReader.Content read(String uri, Duration longest) throws ImageException, InterruptedException;

    @Override
    default void close() {}
}
