/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/**
 * What messages call the options that refused an image, so that readers know what to change. An application with its
 * own configuration passes the names of its keys.
 *
 * @param fileRoots of {@link FetchOptions.Builder#fileRoots}
 * @param allowPrivateAddresses of {@link FetchOptions.Builder#allowPrivateAddresses}
 * @param maxRedirects of {@link FetchOptions.Builder#maxRedirects}
 * @param timeout of {@link FetchOptions.Builder#timeout}
 * @param maxBytes of {@link FetchOptions.Builder#maxBytes}
 * @param maxPixels of the runtime's limit on pixels
 * @param decodeTimeout of the runtime's limit on decoding time
 * @param decodeFormats of the runtime's choice of formats
 */
public record OptionNames(
        String fileRoots,
        String allowPrivateAddresses,
        String maxRedirects,
        String timeout,
        String maxBytes,
        String maxPixels,
        String decodeTimeout,
        String decodeFormats) {

    /** The names of the options in this library. */
    public static final OptionNames OF_THE_LIBRARY = new OptionNames(
            "fileRoots",
            "allowPrivateAddresses",
            "maxRedirects",
            "timeout",
            "maxBytes",
            "maxPixels",
            "decodeTimeout",
            "decodeFormats");
}
