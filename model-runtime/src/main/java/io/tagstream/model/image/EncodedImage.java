/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.util.concurrent.atomic.AtomicReference;

/**
 * An image's bytes as fetched. It holds its share of the budget for buffered bytes until it is closed.
 *
 * <p><i>Threading notes.</i> One thread at a time; {@link #close} from any.
 */
public final class EncodedImage implements AutoCloseable {
    private final byte[] bytes;
    private final String sha256;
    private final AtomicReference<ByteBudget.Share> share;

    EncodedImage(byte[] bytes, String sha256, ByteBudget.Share share) {
        this.bytes = bytes;
        this.sha256 = sha256;
        this.share = new AtomicReference<>(share);
    }

    /** The bytes; do not change them. */
    public byte[] bytes() {
        return bytes;
    }

    /** SHA-256 of the bytes, 64 lower-case hexadecimal digits. */
    public String sha256() {
        return sha256;
    }

    @Override
    public void close() {
        ByteBudget.Share held = share.getAndSet(null);
        if (held != null) {
            held.close();
        }
    }
}
