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
 * Where the next page begins: after an image, told by what pages are sorted by, so that it holds however the index
 * changes between pages.
 *
 * @param score the image's relevance; 0 where pages are not sorted by it
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

    /** @throws IllegalArgumentException if the text is no cursor */
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

    /** After the image, in pages that are sorted by relevance first or not at all by it. */
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
