/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.DecodeSandbox;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.OptionNames;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.model.image.Sandbox;
import io.tagstream.model.image.isolated.DecoderProcess.EndedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes in child processes, so that a crash in native code costs one image and not the stream, and code that an image
 * smuggles into a decoder reaches nothing else. If a process crashes,
 * or takes too long and is ended, its image fails with {@link FailureReason#CORRUPT_IMAGE}, and the process is replaced
 * when the next image needs it. The result is the same as {@link io.tagstream.model.image.ImageDecoder}'s, byte for
 * byte.
 *
 * <p>On Linux the processes seal themselves before they take an image ({@link Seal}). Elsewhere, and with
 * {@link DecodeSandbox#OFF}, this contains crashes, hangs and memory, but the processes may do what this one may.
 *
 * <p><i>Threading notes.</i> {@link #decode} may be called by any number of threads; as many decode at a time as there
 * are processes. {@link #close} may be called meanwhile and makes those calls fail.
 */
public final class DecoderProcesses implements Decoder {
    /** The longest that decoding an image may take by default. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(DecoderProcesses.class);
    private static final Duration START = Duration.ofSeconds(60);

    private final Options options;
    private final DecoderCommand command;
    private volatile Sandbox sandbox = Sandbox.none("no process has started");
    private final PixelBudget budget;
    private final SharedDirectory directory;
    private final ScheduledThreadPoolExecutor alarms;
    private final BlockingQueue<Slot> idle;
    private final List<Slot> slots = new ArrayList<>();
    private volatile boolean closed;

    /**
     * How to decode.
     *
     * @param processes how many images to decode at a time
     * @param size side of the square in pixels
     * @param resize how an image of any shape becomes the square
     * @param maxPixels of an image, and of all images being decoded at a time together
     * @param maxBytes of an image
     * @param timeout the longest that decoding an image may take
     * @param formats the ones to decode
     * @param sandbox whether to keep the processes from everything else
     * @param names what messages call the options
     */
    public record Options(
            int processes,
            int size,
            Resize resize,
            long maxPixels,
            int maxBytes,
            Duration timeout,
            Set<ImageFormat> formats,
            DecodeSandbox sandbox,
            OptionNames names) {}

    /**
     * Starts the processes and waits until they are ready: about a second.
     *
     * @throws DecoderStartException if a process does not start
     * @throws SandboxException if the sandbox is required and not available
     */
    public DecoderProcesses(Options options) {
        this(options, DecoderMain.class, List.of());
    }

    DecoderProcesses(Options options, Class<?> mainClass, List<Path> moreClasses) {
        this.options = options;
        this.command = new DecoderCommand(
                mainClass,
                moreClasses,
                options.size(),
                options.resize(),
                options.maxPixels(),
                options.maxBytes(),
                options.sandbox() != DecodeSandbox.OFF);
        this.budget = new PixelBudget(options.maxPixels(), options.formats(), options.names());
        this.idle = new ArrayBlockingQueue<>(options.processes());
        this.alarms = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "tagstream-decode-deadlines");
            thread.setDaemon(true);
            return thread;
        });
        alarms.setRemoveOnCancelPolicy(true);
        try {
            this.directory = SharedDirectory.create();
        } catch (IOException e) {
            alarms.shutdownNow();
            throw new DecoderStartException("its directory cannot be made: " + e.getMessage(), e);
        }
        boolean complete = false;
        try {
            start();
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    /** Starts all processes at once, since each takes a while. */
    private void start() {
        List<DecoderProcess> starting = new ArrayList<>();
        for (int i = 0; i < options.processes(); i++) {
            Slot slot = new Slot();
            slots.add(slot);
            starting.add(slot.launch());
        }
        for (int i = 0; i < options.processes(); i++) {
            try {
                sandbox = awaitReady(starting.get(i));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new DecoderStartException("interrupted", e);
            }
            idle.add(slots.get(i));
        }
        if (sandbox.inForce()) {
            LOG.info("decoder processes are sandboxed: {}", sandbox.text());
        } else {
            LOG.warn("decoder processes are not sandboxed: {}", sandbox.text());
        }
    }

    @Override
    public Sandbox sandbox() {
        return sandbox;
    }

    @Override
    public int bytes() {
        return 3 * options.size() * options.size();
    }

    @Override
    public ImageSize decode(byte[] encoded, ByteBuffer target) throws ImageException, InterruptedException {
        // refuses by the header alone, without a process; and a process could not see what the others use of the budget
        try (PixelBudget.Share share = budget.admit(encoded)) {
            Slot slot = idle.take();
            try {
                return decode(slot, share.format(), encoded, target);
            } finally {
                idle.add(slot);
            }
        }
    }

    private ImageSize decode(Slot slot, String format, byte[] encoded, ByteBuffer target)
            throws ImageException, InterruptedException {
        DecoderProcess process = slot.running();
        try {
            return process.decode(encoded, target, options.timeout(), alarms);
        } catch (EndedException e) {
            if (closed) {
                throw closed(e);
            }
            LOG.warn(
                    "decoder process {} ended while decoding a {} of {} bytes: {}",
                    process.pid(),
                    encoded.length,
                    format,
                    e.getMessage());
            throw new ImageException(FailureReason.CORRUPT_IMAGE, message(format, e), e);
        }
    }

    private String message(String format, EndedException e) {
        return e.late()
                ? "the %s was not decoded within %s ms; submit a simpler image or raise %s"
                        .formatted(
                                format,
                                options.timeout().toMillis(),
                                options.names().decodeTimeout())
                : "the %s does not decode: the decoder process failed on it (%s)".formatted(format, e.getMessage());
    }

    private static ImageException closed(Exception e) {
        return new ImageException(FailureReason.MODEL_ERROR, "the runtime was closed while decoding", e);
    }

    /** Accepts no process with less of a sandbox than was asked for, or than the first process has. */
    private Sandbox awaitReady(DecoderProcess process) throws InterruptedException {
        try {
            Sandbox has = process.awaitReady(START, alarms);
            if (!has.inForce() && (options.sandbox() == DecodeSandbox.REQUIRED || sandbox.inForce())) {
                process.kill();
                throw new SandboxException(has.text());
            }
            return has;
        } catch (EndedException e) {
            throw new DecoderStartException(e.getMessage(), e);
        } catch (ImageException e) {
            throw new IllegalStateException("a greeting is not an answer", e);
        }
    }

    /** The processes. */
    List<Long> pids() {
        return slots.stream().map(Slot::pid).toList();
    }

    /** The directory that the processes share. */
    Path directory() {
        return directory.path();
    }

    /** Ends the processes and deletes what they shared. */
    @Override
    public void close() {
        closed = true;
        slots.forEach(Slot::kill);
        alarms.shutdownNow();
        try {
            directory.close();
        } catch (IOException e) {
            LOG.warn("the directory {} cannot be deleted", directory.path(), e);
        }
    }

    /** The place of a process; a new process takes it when the last one has ended. */
    private final class Slot {
        private DecoderProcess process;

        DecoderProcess running() throws ImageException, InterruptedException {
            if (process.isAlive()) {
                return process;
            }
            try {
                DecoderProcess started = launch();
                awaitReady(started);
                return started;
            } catch (DecoderStartException e) {
                if (closed) {
                    throw closed(e);
                }
                throw new ImageException(FailureReason.MODEL_ERROR, e.getMessage(), e);
            }
        }

        /** Starts a process, under the same lock as {@link #kill}, so that none starts after closing. */
        synchronized DecoderProcess launch() {
            if (closed) {
                throw new DecoderStartException("the runtime is closed", null);
            }
            try {
                process = new DecoderProcess(command.builder(directory).start());
                return process;
            } catch (IOException e) {
                throw new DecoderStartException(e.getMessage(), e);
            }
        }

        synchronized long pid() {
            return process.pid();
        }

        synchronized void kill() {
            if (process != null) {
                process.kill();
            }
        }
    }
}
