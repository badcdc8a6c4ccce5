/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.ImageDecoder;
import io.tagstream.model.image.OptionNames;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.model.image.Sandbox;
import io.tagstream.model.image.isolated.Seal.SealException;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * The child process. It decodes what its parent sends until the parent is gone, and then deletes the directory that
 * they shared.
 *
 * <p>The child ignores every signal that can be ignored. A signal to all processes of a terminal or a service is for
 * the parent to obey, and the parent may still wait for an image.
 */
public final class DecoderMain {
    private static final int BROKEN = 1;
    private static final int STANDARD_OUTPUT = 1;
    private static final File LINUX_OOM_SCORE = new File("/proc/self/oom_score_adj");

    private DecoderMain() {}

    /** {@code arguments}: the shared directory, the square's side, the resize rule, the most pixels, whether to seal. */
    public static void main(String[] arguments) throws IOException {
        run(arguments, decoder(arguments));
    }

    static Decoder decoder(String[] arguments) {
        return new ImageDecoder(
                Integer.parseInt(arguments[1]),
                Resize.valueOf(arguments[2]),
                new PixelBudget(Long.parseLong(arguments[3]), OptionNames.OF_THE_LIBRARY));
    }

    static void run(String[] arguments, Decoder decoder) throws IOException {
        Path directory = Path.of(arguments[0]);
        Conversation parent = new Conversation(
                new FileInputStream(FileDescriptor.in),
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1024));
        // nothing else that prints may disturb the conversation
        System.setOut(System.err);
        ignoreSignals();
        preferToDieBeforeOthers();
        try {
            ByteBuffer pixels = ByteBuffer.allocateDirect(decoder.bytes());
            long maxPixels = Long.parseLong(arguments[3]);
            WarmUp.run(decoder, pixels, maxPixels);
            Sandbox sandbox = Boolean.parseBoolean(arguments[4]) ? seal(maxPixels) : Sandbox.none("it is off");
            endWithParent(directory, sandbox);
            parent.sayReady(sandbox);
            Optional<byte[]> image = parent.receive();
            while (image.isPresent()) {
                decode(decoder, image.get(), pixels, parent);
                image = parent.receive();
            }
            end(directory);
        } catch (Throwable e) {
            // the parent logs it and starts another
            e.printStackTrace();
            Runtime.getRuntime().halt(BROKEN);
        }
    }

    private static void decode(Decoder decoder, byte[] image, ByteBuffer pixels, Conversation parent)
            throws IOException, InterruptedException {
        try {
            parent.answer(decoder.decode(image, pixels), pixels);
        } catch (ImageException failure) {
            parent.answer(failure);
        } catch (RuntimeException e) {
            e.printStackTrace();
            parent.answer(new ImageException(FailureReason.MODEL_ERROR, "decoding failed unexpectedly: " + e));
        }
    }

    /** A hook that never ends blocks the shutdown that a signal starts, while other threads continue. */
    private static void ignoreSignals() {
        CountDownLatch never = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                never.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
    }

    /** When memory runs out, Linux ends the process with the highest score. */
    private static void preferToDieBeforeOthers() throws IOException {
        if (LINUX_OOM_SCORE.canWrite()) {
            // not by java.nio, which opens a socket of its own
            try (FileOutputStream score = new FileOutputStream(LINUX_OOM_SCORE)) {
                score.write("1000".getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    private static Sandbox seal(long maxPixels) {
        openClassPath();
        try {
            return Sandbox.sealed(Seal.apply(maxPixels * PixelBudget.BYTES_PER_PIXEL));
        } catch (SealException e) {
            return Sandbox.none(e.getMessage());
        }
    }

    /** Opens all jars, by looking in each for what is in none, so that classes can be loaded from them later. */
    private static void openClassPath() {
        if (ClassLoader.getSystemResource("nothing") != null) {
            throw new IllegalStateException("there is no such resource");
        }
    }

    /** A parent that ends while an image is decoded closes its end of the pipe. */
    private static void endWithParent(Path directory, Sandbox sandbox) {
        if (sandbox.inForce()) {
            // a sealed process can neither look at others nor delete a directory
            Thread watch = new Thread(
                    () -> {
                        LinuxLibrary.awaitNoReader(STANDARD_OUTPUT);
                        Runtime.getRuntime().halt(0);
                    },
                    "parent");
            watch.setDaemon(true);
            watch.start();
        } else {
            ProcessHandle.current().parent().ifPresent(process -> {
                var unused = process.onExit().thenRun(() -> end(directory));
            });
        }
    }

    /** Ends this process without running hooks. Its siblings may be doing the same. */
    private static void end(Path directory) {
        try {
            SharedDirectory.delete(directory);
        } catch (IOException e) {
            System.err.println("the directory " + directory + " cannot be deleted: " + e);
        } finally {
            Runtime.getRuntime().halt(0);
        }
    }
}
