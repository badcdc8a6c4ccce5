/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.UndecodedImage;

/** An image's name in logs: {@code image "id" (topic-partition@offset)}, by the images record it came with. */
final class ImageName {
    private static final int LONGEST_ID = 200;

    private ImageName() {}

    static String of(PendingImage image) {
        return of(image.getImageId(), image.getOrigin());
    }

    static String of(UndecodedImage image) {
        return of(image.getImageId(), image.getOrigin());
    }

    private static String of(String id, RecordOrigin origin) {
        return "image \"%s\" (%s-%d@%d)"
                .formatted(escaped(id), origin.getTopic(), origin.getPartition(), origin.getOffset());
    }

    /** An id in quotes. */
    static String quoted(String id) {
        return '"' + escaped(id) + '"';
    }

    /** Ids are text from strangers: characters that could end a line or change its direction are escaped. */
    private static String escaped(String id) {
        StringBuilder escaped = new StringBuilder();
        id.codePoints().limit(LONGEST_ID).forEach(character -> {
            int type = Character.getType(character);
            if (type == Character.CONTROL
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR
                    || type == Character.SURROGATE
                    || character == '"'
                    || character == '\\') {
                escaped.append("\\u{%x}".formatted(character));
            } else {
                escaped.appendCodePoint(character);
            }
        });
        return id.codePointCount(0, id.length()) > LONGEST_ID
                ? escaped.append('…').toString()
                : escaped.toString();
    }
}
