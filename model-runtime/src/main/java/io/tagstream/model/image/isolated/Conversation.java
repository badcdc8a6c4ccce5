/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.Sandbox;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What parent and child say to each other over the child's standard input and output. First the child says that it is
 * ready, and whether it is sealed. Then they take turns: the parent sends an image (length, bytes), and the child answers with its size and
 * pixels, or says why there are none. Numbers are big-endian.
 *
 * <p><i>Threading notes.</i> One thread at a time.
 */
final class Conversation {
    private static final int READY = 0x74616773; // "tags"
    private static final int DECODED = 0x6F6B6179; // "okay"
    private static final int FAILED = 0x6661696C; // "fail"
    /** As much as a pipe holds. Java copies whatever it reads or writes in one call into memory of its own. */
    private static final int CHUNK = 64 * 1024;

    private static final int LONGEST_MESSAGE = 1000;

    private final DataInputStream in;
    private final DataOutputStream out;
    private final byte[] chunk = new byte[CHUNK];

    Conversation(InputStream in, OutputStream out) {
        this.in = new DataInputStream(in);
        this.out = new DataOutputStream(out);
    }

    /** Child: says that it can decode from now on, and whether it is sealed. */
    void sayReady(Sandbox sandbox) throws IOException {
        out.writeInt(READY);
        out.writeBoolean(sandbox.inForce());
        out.writeUTF(Excerpt.of(sandbox.text(), LONGEST_MESSAGE));
        out.flush();
    }

    /** Parent: waits until the child can decode. */
    Sandbox awaitReady() throws IOException {
        int word = in.readInt();
        if (word != READY) {
            throw nonsense("%08x instead of its greeting".formatted(word));
        }
        return new Sandbox(in.readBoolean(), in.readUTF());
    }

    /** Parent: sends an image. */
    void send(byte[] encoded) throws IOException {
        out.writeInt(encoded.length);
        for (int at = 0; at < encoded.length; at += CHUNK) {
            out.write(encoded, at, Math.min(CHUNK, encoded.length - at));
        }
        out.flush();
    }

    /** Child: waits for an image; empty once the parent is gone. */
    Optional<byte[]> receive() throws IOException {
        try {
            byte[] encoded = new byte[in.readInt()];
            int at = 0;
            while (at < encoded.length) {
                int read = in.read(encoded, at, Math.min(CHUNK, encoded.length - at));
                if (read < 0) {
                    return Optional.empty();
                }
                at += read;
            }
            return Optional.of(encoded);
        } catch (EOFException e) {
            return Optional.empty();
        }
    }

    /** Child: answers with a decoded image; all of {@code pixels} belongs to it. */
    void answer(ImageSize size, ByteBuffer pixels) throws IOException {
        out.writeInt(DECODED);
        out.writeInt(size.width());
        out.writeInt(size.height());
        ByteBuffer left = pixels.duplicate().clear();
        while (left.hasRemaining()) {
            int length = Math.min(CHUNK, left.remaining());
            left.get(chunk, 0, length);
            out.write(chunk, 0, length);
        }
        out.flush();
    }

    /** Child: answers that the image is not decoded. */
    void answer(ImageException failure) throws IOException {
        out.writeInt(FAILED);
        out.writeUTF(failure.reason().name());
        out.writeUTF(Excerpt.of(failure.getMessage(), LONGEST_MESSAGE));
        out.flush();
    }

    /**
     * Parent: waits for the answer, and writes its pixels to {@code target}.
     *
     * @throws ImageException if the answer says that the image is not decoded
     * @throws IOException if the child ends or its answer makes no sense
     */
    ImageSize awaitAnswer(ByteBuffer target) throws ImageException, IOException {
        int word = in.readInt();
        if (word == FAILED) {
            throw new ImageException(reason(in.readUTF()), Excerpt.of(in.readUTF(), LONGEST_MESSAGE));
        }
        if (word != DECODED) {
            throw nonsense("%08x instead of an answer".formatted(word));
        }
        ImageSize size = new ImageSize(in.readInt(), in.readInt());
        if (size.width() < 1 || size.height() < 1) {
            throw nonsense("that the image's size is %d x %d".formatted(size.width(), size.height()));
        }
        ByteBuffer free = target.duplicate().clear();
        while (free.hasRemaining()) {
            int read = in.read(chunk, 0, Math.min(CHUNK, free.remaining()));
            if (read < 0) {
                throw new EOFException("it broke off");
            }
            free.put(chunk, 0, read);
        }
        return size;
    }

    private static FailureReason reason(String name) throws IOException {
        try {
            return FailureReason.valueOf(name);
        } catch (IllegalArgumentException e) {
            throw new IOException("it gave the unknown reason \"%s\"".formatted(Excerpt.of(name)), e);
        }
    }

    private static IOException nonsense(String what) {
        return new IOException("it said " + what);
    }
}
