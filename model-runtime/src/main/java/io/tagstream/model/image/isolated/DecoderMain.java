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
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.OptionNames;
import io.tagstream.model.image.PixelBudget;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

/**
 * The child process. It decodes what its parent sends until the parent is gone, and then deletes the directory that
 * they shared.
 *
 * <p>The child ignores every signal that can be ignored. A signal to all processes of a terminal or a service is for
 * the parent to obey, and the parent may still wait for an image.
 */
public final class DecoderMain {
    private static final int BROKEN = 1;
    private static final int WARM_UP_ROUNDS = 20;
    private static final int WARM_UP_SIDE = 512;
    private static final Path LINUX_OOM_SCORE = Path.of("/proc/self/oom_score_adj");

    private DecoderMain() {}

    /** {@code arguments}: the shared directory, the square's side, the resize rule, the most pixels. */
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
        ProcessHandle.current().parent().ifPresent(process -> {
            var unused = process.onExit().thenRun(() -> end(directory));
        });
        preferToDieBeforeOthers();
        try {
            ByteBuffer pixels = ByteBuffer.allocateDirect(decoder.bytes());
            warmUp(decoder, pixels, Long.parseLong(arguments[3]));
            parent.sayReady();
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
        if (Files.isWritable(LINUX_OOM_SCORE)) {
            Files.writeString(LINUX_OOM_SCORE, "1000");
        }
    }

    private static void warmUp(Decoder decoder, ByteBuffer pixels, long maxPixels)
            throws IOException, InterruptedException {
        int side = (int) Math.min(WARM_UP_SIDE, Math.sqrt((double) maxPixels));
        Mat picture = new Mat(side, side, CvType.CV_8UC3, new Scalar(0, 128, 255));
        for (ImageFormat format : List.of(ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP)) {
            MatOfByte encoded = new MatOfByte();
            Imgcodecs.imencode("." + format.extension(), picture, encoded);
            byte[] image = encoded.toArray();
            encoded.release();
            try {
                for (int round = 0; round < WARM_UP_ROUNDS; round++) {
                    decoder.decode(image, pixels);
                }
            } catch (ImageException e) {
                throw new IOException("OpenCV does not read a %s that it wrote".formatted(format), e);
            }
        }
        picture.release();
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
