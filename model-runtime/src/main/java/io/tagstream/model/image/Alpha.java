/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

/** How a decoded picture's fourth channel says what is transparent. */
enum Alpha {
    /** There is none, or it means nothing. */
    NONE,
    /** Colours are stored as they are where nothing is transparent. */
    STRAIGHT,
    /** Colours are multiplied by the alpha: black where all is transparent. */
    PREMULTIPLIED
}
