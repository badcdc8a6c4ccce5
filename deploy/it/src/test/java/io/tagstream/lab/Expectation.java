/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.ImageFailureReason;
import java.util.List;
import java.util.Optional;

/**
 * The outcome to expect for an image, as its URI says.
 *
 * @param words the image's words, if it can be tagged
 * @param failure why the image cannot be tagged, if it cannot
 * @param fetched whether it comes from the image server, so that a fault of the server may make it fail instead
 */
record Expectation(List<String> words, Optional<ImageFailureReason> failure, boolean fetched) {
    static final String DATA = "data:text/plain,";
    static final String UNKNOWN_SCHEME = "nowhere:";

    /** Paths of the image server. */
    static final String WORDS_PATH = "/words/";

    static final String MISSING_PATH = "/missing/";

    static Expectation of(String uri) {
        if (uri.startsWith(UNKNOWN_SCHEME)) {
            return new Expectation(List.of(), Optional.of(ImageFailureReason.BAD_REFERENCE), false);
        }
        boolean fetched = !uri.startsWith(DATA);
        if (fetched && uri.contains(MISSING_PATH)) {
            return new Expectation(List.of(), Optional.of(ImageFailureReason.FETCH_NOT_FOUND), true);
        }
        String content =
                fetched ? uri.substring(uri.indexOf(WORDS_PATH) + WORDS_PATH.length()) : uri.substring(DATA.length());
        List<String> words = List.of(content.split("[+]", -1));
        return words.contains(Words.CORRUPT)
                ? new Expectation(List.of(), Optional.of(ImageFailureReason.CORRUPT_IMAGE), fetched)
                : new Expectation(words, Optional.empty(), fetched);
    }
}
