/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.lucene.search.FieldDoc;
import org.apache.lucene.util.BytesRef;

/**
 * Where the next page begins: after an image, identified by the values that pages are sorted by, so that it stays valid
 * when the index changes between pages.
 *
 * @param score the image's relevance; 0 if pages are not sorted by relevance
 */
record Cursor(float score, long taggedAt, String id) {
    private static final int NUMBERS = Float.BYTES + Long.BYTES;

    String encoded() {
        byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
        ByteBuffer buffer = ByteBuffer.allocate(NUMBERS + bytes.length)
                .putFloat(score)
                .putLong(taggedAt)
                .put(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(buffer.array());
    }

    /** @throws IllegalArgumentException if the text is not a cursor */
    static Cursor decode(String text) {
        ByteBuffer buffer = ByteBuffer.wrap(Base64.getUrlDecoder().decode(text));
        if (buffer.remaining() < NUMBERS) {
            throw new IllegalArgumentException("the cursor is too short");
        }
        return new Cursor(
                buffer.getFloat(),
                buffer.getLong(),
                StandardCharsets.UTF_8.decode(buffer).toString());
    }

    /** The position after the image, in pages sorted by relevance first, or by time only. */
    FieldDoc after(boolean byRelevance) {
        Object[] newestFirst = {taggedAt, new BytesRef(id)};
        Object[] bestFirst = {score, taggedAt, new BytesRef(id)};
        return new FieldDoc(Integer.MAX_VALUE, Float.NaN, byRelevance ? bestFirst : newestFirst);
    }

    static Cursor of(FieldDoc last, boolean byRelevance) {
        Object[] fields = last.fields;
        int first = byRelevance ? 1 : 0;
        return new Cursor(
                byRelevance ? (Float) fields[0] : 0,
                (Long) fields[first],
                ((BytesRef) fields[first + 1]).utf8ToString());
    }
}
