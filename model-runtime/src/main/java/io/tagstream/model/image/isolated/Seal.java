/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.util.Optional;

/**
 * Takes from this process, for good, whatever decoding does not need: all system calls but those of
 * {@link SystemCallFilter}, on all its threads, and memory, descriptors, files and core dumps beyond its limits. What
 * the process has open stays open.
 *
 * <p>It must have loaded its native libraries and opened its jars before.
 */
final class Seal {
    private static final int NO_NEW_PRIVILEGES = 38;
    private static final int SET_MODE_FILTER = 1;
    private static final int ALL_THREADS = 1;
    private static final int AT_WORKING_DIRECTORY = -100;
    private static final int INTERNET = 2;
    private static final int STREAM = 1;

    private static final int LIMIT_OF_FILE_SIZE = 1;
    private static final int LIMIT_OF_DATA = 2;
    private static final int LIMIT_OF_CORE = 4;
    private static final int LIMIT_OF_DESCRIPTORS = 7;
    private static final int LIMIT_OF_LOCKED_MEMORY = 8;
    private static final int LIMIT_OF_QUEUES = 12;

    /** What Java takes beside its heap, for code, classes, threads and small things of decoders. */
    private static final long JAVA_BYTES = 256L << 20;

    private static final int WORD = 8;

    private Seal() {}

    /**
     * Seals this process, and tries what must not work any more.
     *
     * @param decoderBytes the most memory that decoding may take outside Java's heap
     * @return what is in force
     * @throws SealException if that is not possible here; some of it may be in force
     */
    static String apply(long decoderBytes) throws SealException {
        Architecture architecture = supported();
        try {
            limit(LIMIT_OF_FILE_SIZE, 0);
            limit(LIMIT_OF_CORE, 0);
            limit(LIMIT_OF_LOCKED_MEMORY, 0);
            limit(LIMIT_OF_QUEUES, 0);
            // poll takes no more descriptors than that, and awaiting the parent's end takes one
            limit(LIMIT_OF_DESCRIPTORS, 1);
            long most = Runtime.getRuntime().maxMemory() + JAVA_BYTES + decoderBytes;
            limit(LIMIT_OF_DATA, most);
            filter(architecture);
            check(architecture);
            return "seccomp allows no files, network, programs or other processes, and memory is limited to %d MiB"
                    .formatted(most >> 20);
        } catch (LinkageError e) {
            throw new SealException("JNA's native library does not load: " + e.getMessage(), e);
        }
    }

    /** Whether the C library is Linux's. */
    static boolean isForThisSystem() {
        return System.getProperty("os.name").equals("Linux");
    }

    private static Architecture supported() throws SealException {
        if (!isForThisSystem()) {
            throw new SealException("there is none for " + System.getProperty("os.name"), null);
        }
        Optional<Architecture> architecture = Architecture.current();
        if (architecture.isEmpty()) {
            throw new SealException("there is none for " + System.getProperty("os.arch"), null);
        }
        return architecture.get();
    }

    private static void limit(int resource, long most) throws SealException {
        try (Memory limits = new Memory(2 * WORD)) {
            limits.setLong(0, most);
            limits.setLong(WORD, most);
            if (LinuxLibrary.setrlimit(resource, limits) != 0) {
                throw failed("setrlimit(%d)".formatted(resource));
            }
        }
    }

    private static void filter(Architecture architecture) throws SealException {
        NativeLong zero = new NativeLong(0);
        if (LinuxLibrary.prctl(NO_NEW_PRIVILEGES, new NativeLong(1), zero, zero, zero) != 0) {
            throw failed("prctl(PR_SET_NO_NEW_PRIVS)");
        }
        byte[] filter =
                SystemCallFilter.of(architecture, (int) ProcessHandle.current().pid());
        try (Memory instructions = new Memory(filter.length);
                Memory program = new Memory(2 * WORD)) {
            instructions.write(0, filter, 0, filter.length);
            program.clear();
            program.setShort(0, (short) (filter.length / SystemCallFilter.INSTRUCTION));
            program.setPointer(WORD, instructions);
            long result = LinuxLibrary.syscall(
                            new NativeLong(architecture.seccomp),
                            new NativeLong(SET_MODE_FILTER),
                            Pointer.createConstant(ALL_THREADS),
                            program,
                            zero)
                    .longValue();
            if (result > 0) {
                throw new SealException("the thread %d cannot be sealed".formatted(result), null);
            }
            if (result != 0) {
                throw failed("seccomp");
            }
        }
    }

    private static void check(Architecture architecture) throws SealException {
        NativeLong zero = new NativeLong(0);
        try (Memory path = new Memory(2)) {
            path.setString(0, "/");
            NativeLong opened = LinuxLibrary.syscall(
                    new NativeLong(architecture.openat), new NativeLong(AT_WORKING_DIRECTORY), path, null, zero);
            NativeLong connected = LinuxLibrary.syscall(
                    new NativeLong(architecture.socket),
                    new NativeLong(INTERNET),
                    Pointer.createConstant(STREAM),
                    null,
                    zero);
            if (opened.longValue() >= 0 || connected.longValue() >= 0) {
                throw new SealException("the kernel accepted the filter of system calls and ignores it", null);
            }
        }
    }

    private static SealException failed(String call) {
        return new SealException("%s failed with error %d".formatted(call, Native.getLastError()), null);
    }

    /** Sealing is not possible here. */
    static final class SealException extends Exception {
        private static final long serialVersionUID = 1L;

        SealException(String why, Throwable cause) {
            super(why, cause);
        }
    }
}
