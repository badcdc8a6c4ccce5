/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.ByteBuffer;

/** The first page of a TIFF. The decoder turns it upright and reports truncation itself. */
final class TiffStructure {
    private TiffStructure() {}

    static ImageHeader read(ByteBuffer tiff) {
        ImageDirectory directory = ImageDirectory.first(tiff);
        return new ImageHeader(
                ImageFormat.TIFF,
                directory.value(ImageDirectory.WIDTH, 0),
                directory.value(ImageDirectory.HEIGHT, 0),
                directory.orientation());
    }
}
