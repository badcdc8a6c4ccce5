/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.Forge;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.Quarters;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A decoder process in which an image has taken over the decoder, as by a bug in native code: it does what the image
 * asks for, with all that Java and the C library offer. Everything is tried once at the start, so that what fails later
 * fails for no lack of loaded code.
 */
public final class HostileMain {
    private static final Pattern ORDER = Pattern.compile("order:([A-Z_]+) ([^;]*);");

    /** What the image asks for. The argument is a path, a port or a process. */
    enum Attempt {
        READ_A_FILE,
        LIST_A_DIRECTORY,
        WRITE_A_FILE,
        DELETE_A_FILE,
        CONNECT,
        LISTEN,
        RUN_A_PROGRAM,
        FORK,
        TRACE_A_PROCESS,
        READ_MEMORY_OF_A_PROCESS,
        SIGNAL_A_PROCESS,
        READ_THE_ENVIRONMENT_OF_A_PROCESS,
        MAKE_A_FILE_IN_MEMORY,
        OPEN_ANOTHER_DESCRIPTOR,
        RAISE_A_LIMIT,
        ALLOCATE_A_GIBIBYTE
    }

    /** One that any user may trace: its own child. */
    private static Process other;

    private HostileMain() {}

    /** An image that asks for something. */
    static byte[] image(Attempt attempt, Object argument) {
        String order = "order:" + attempt + " " + argument + ";";
        return Forge.pngWith(Quarters.png(40, 30), Forge.pngChunk("teXt", order.getBytes(StandardCharsets.ISO_8859_1)));
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        rehearse();
        Decoder decoder = DecoderMain.decoder(arguments);
        DecoderMain.run(arguments, new Decoder() {
            @Override
            public int bytes() {
                return decoder.bytes();
            }

            @Override
            public ImageSize decode(byte[] encoded, ByteBuffer target) throws ImageException, InterruptedException {
                Matcher order = ORDER.matcher(new String(encoded, StandardCharsets.ISO_8859_1));
                if (!order.find()) {
                    return decoder.decode(encoded, target);
                }
                try {
                    obey(Attempt.valueOf(order.group(1)), order.group(2));
                } catch (Exception | OutOfMemoryError e) {
                    throw new ImageException(FailureReason.CORRUPT_IMAGE, "failed: " + e);
                }
                throw new ImageException(FailureReason.CORRUPT_IMAGE, "done");
            }

            @Override
            public void close() {
                decoder.close();
            }
        });
    }

    private static void rehearse() throws IOException, InterruptedException {
        Path file = Files.createTempFile("hostile", "");
        Files.writeString(file, "");
        Files.readString(file);
        Files.delete(file);
        list(file.getParent());
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            new Socket(server.getInetAddress(), server.getLocalPort()).close();
        }
        other = new ProcessBuilder("sleep", "100").start();
        new Memory(1).close();
        CLibrary.getpid();
        throwAndCatch();
    }

    private static void throwAndCatch() {
        try {
            CLibrary.dup(-1);
            throw new IllegalStateException("-1 is a descriptor");
        } catch (LastErrorException expected) {
            // how failures look has been loaded
        }
    }

    private static void obey(Attempt attempt, String argument) throws IOException, InterruptedException {
        switch (attempt) {
            case READ_A_FILE -> Files.readString(Path.of(argument));
            case LIST_A_DIRECTORY -> list(Path.of(argument));
            case WRITE_A_FILE -> Files.writeString(Path.of(argument), "it was here");
            case DELETE_A_FILE -> Files.delete(Path.of(argument));
            case CONNECT -> new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(argument)).close();
            case LISTEN -> new ServerSocket(0, 1, InetAddress.getLoopbackAddress()).close();
            case RUN_A_PROGRAM -> spawn(argument);
            case FORK -> {
                if (CLibrary.fork() == 0) {
                    CLibrary._exit(0);
                }
            }
            case TRACE_A_PROCESS ->
                CLibrary.ptrace(new NativeLong(CLibrary.PTRACE_SEIZE), new NativeLong(other.pid()), null, null);
            case READ_MEMORY_OF_A_PROCESS -> {
                try (Memory nothing = new Memory(1)) {
                    NativeLong none = new NativeLong(0);
                    CLibrary.process_vm_readv((int) other.pid(), nothing, none, nothing, none, none);
                }
            }
            case SIGNAL_A_PROCESS -> CLibrary.kill(Integer.parseInt(argument), 0);
            case READ_THE_ENVIRONMENT_OF_A_PROCESS -> Files.readAllBytes(Path.of("/proc", argument, "environ"));
            case MAKE_A_FILE_IN_MEMORY -> {
                try (Memory name = new Memory(2)) {
                    name.setString(0, "m");
                    CLibrary.memfd_create(name, 0);
                }
            }
            case OPEN_ANOTHER_DESCRIPTOR -> CLibrary.dup(1);
            case RAISE_A_LIMIT -> {
                try (Memory limits = new Memory(16)) {
                    limits.setLong(0, -1);
                    limits.setLong(8, -1);
                    CLibrary.setrlimit(CLibrary.RLIMIT_FSIZE, limits);
                }
            }
            case ALLOCATE_A_GIBIBYTE -> {
                List<Memory> pieces = new ArrayList<>();
                for (int i = 0; i < 16; i++) {
                    pieces.add(new Memory(64 << 20));
                }
                pieces.forEach(Memory::close);
            }
        }
    }

    private static void spawn(String program) throws IOException {
        try (Memory pid = new Memory(Integer.BYTES);
                Memory path = new Memory(program.length() + 1);
                Memory arguments = new Memory(2L * Native.POINTER_SIZE)) {
            path.setString(0, program);
            arguments.setPointer(0, path);
            arguments.setPointer(Native.POINTER_SIZE, null);
            int error = CLibrary.posix_spawn(pid, path, null, null, arguments, null);
            if (error != 0) {
                throw new IOException("[%d] %s does not start".formatted(error, program));
            }
        }
    }

    private static void list(Path directory) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            var unused = files.iterator().hasNext();
        }
    }

    /** Functions of Linux's C library. They throw when they fail. */
    @SuppressWarnings("checkstyle:MethodName")
    static final class CLibrary {
        static final int PTRACE_SEIZE = 0x4206;
        static final int RLIMIT_FSIZE = 1;

        static {
            Native.register(CLibrary.class, NativeLibrary.getProcess());
        }

        private CLibrary() {}

        static native int getpid() throws LastErrorException;

        static native int fork() throws LastErrorException;

        static native void _exit(int code);

        static native int posix_spawn(
                Pointer pid, Pointer path, Pointer files, Pointer attributes, Pointer arguments, Pointer environment);

        static native int kill(int process, int signal) throws LastErrorException;

        static native NativeLong ptrace(NativeLong request, NativeLong process, Pointer address, Pointer data)
                throws LastErrorException;

        static native NativeLong process_vm_readv(
                int process, Pointer to, NativeLong parts, Pointer from, NativeLong fromParts, NativeLong flags)
                throws LastErrorException;

        static native int memfd_create(Pointer name, int flags) throws LastErrorException;

        static native int dup(int descriptor) throws LastErrorException;

        static native int setrlimit(int resource, Pointer limits) throws LastErrorException;
    }
}
