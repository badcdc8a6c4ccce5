/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.ImageSize;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/** A decoder process that misbehaves on images of certain sizes, and decodes all others as the real one does. */
public final class MisbehavingMain {
    /** Images of this width cause trouble; the height says which. */
    static final int WIDTH = 13;

    enum Trouble {
        KILLED(1),
        SEGMENTATION_FAULT(2),
        EXIT(3),
        OUT_OF_MEMORY(4),
        NONSENSE(5),
        HALF_AN_ANSWER(6),
        EXCEPTION(7),
        HANG(8);

        final int height;

        Trouble(int height) {
            this.height = height;
        }

        static Trouble ofHeight(int height) {
            return Stream.of(values())
                    .filter(trouble -> trouble.height == height)
                    .findFirst()
                    .orElseThrow();
        }
    }

    private MisbehavingMain() {}

    public static void main(String[] arguments) throws IOException {
        Decoder decoder = DecoderMain.decoder(arguments);
        CLibrary.raise(0);
        DecoderMain.run(arguments, new Decoder() {
            @Override
            public int bytes() {
                return decoder.bytes();
            }

            @Override
            public ImageSize decode(byte[] encoded, ByteBuffer target) throws ImageException, InterruptedException {
                ImageSize size = decoder.decode(encoded, target);
                if (size.width() == WIDTH) {
                    misbehave(Trouble.ofHeight(size.height()));
                }
                return size;
            }

            @Override
            public void close() {
                decoder.close();
            }
        });
    }

    private static void misbehave(Trouble trouble) throws InterruptedException {
        switch (trouble) {
            case KILLED -> signal(9);
            case SEGMENTATION_FAULT -> signal(11);
            case EXIT -> Runtime.getRuntime().halt(7);
            case OUT_OF_MEMORY -> {
                byte[][] memory = new byte[1 << 16][];
                for (int i = 0; i < memory.length; i++) {
                    memory[i] = new byte[1 << 20];
                }
            }
            case NONSENSE -> {
                say(new byte[] {'h', 'e', 'l', 'l', 'o', '\n', 0, 0});
                hang();
            }
            case HALF_AN_ANSWER -> {
                say(new byte[] {'o', 'k', 'a', 'y', 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3});
                Runtime.getRuntime().halt(0);
            }
            case EXCEPTION -> throw new IllegalStateException("a bug in decoding");
            case HANG -> hang();
        }
    }

    private static void signal(int signal) throws InterruptedException {
        CLibrary.raise(signal);
        hang();
    }

    /** What a sealed process may do, too: it may send itself signals. */
    static final class CLibrary {
        static {
            Native.register(CLibrary.class, NativeLibrary.getProcess());
        }

        private CLibrary() {}

        static native int raise(int signal);
    }

    private static void say(byte[] words) {
        try {
            new FileOutputStream(FileDescriptor.out).write(words);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void hang() throws InterruptedException {
        new CountDownLatch(1).await();
    }
}
