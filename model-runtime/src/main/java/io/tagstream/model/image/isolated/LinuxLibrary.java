/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The functions of Linux's C library that sealing takes, by JNA. Using this class loads JNA's native library. */
final class LinuxLibrary {
    private static final String JNA_LIBRARY = "jnidispatch";
    private static final String JNA_DIRECTORY = "jna.boot.library.path";
    private static final int POLL_DESCRIPTOR_BYTES = 8;

    static {
        Native.register(LinuxLibrary.class, NativeLibrary.getProcess());
    }

    private LinuxLibrary() {}

    /**
     * The options for a Java that uses this class, so that it unpacks nothing.
     *
     * @param directory receives JNA's native library, unless it is unpacked already
     */
    static List<String> javaOptions(Path directory) throws IOException {
        String unpacked = System.getProperty(JNA_DIRECTORY);
        return List.of(
                "-Djna.nounpack=true", "-D" + JNA_DIRECTORY + "=" + (unpacked == null ? unpack(directory) : unpacked));
    }

    private static Path unpack(Path directory) throws IOException {
        String name = System.mapLibraryName(JNA_LIBRARY);
        String resource = "/com/sun/jna/" + Platform.RESOURCE_PREFIX + "/" + name;
        try (InputStream in = Native.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new FileNotFoundException(
                        "JNA's jar has no native library for this platform: it has no " + resource);
            }
            Path library = directory.resolve(name);
            if (!Files.exists(library)) {
                Files.copy(in, library);
            }
        }
        return directory;
    }

    static native int prctl(int option, NativeLong two, NativeLong three, NativeLong four, NativeLong five);

    static native int setrlimit(int resource, Pointer limits);

    static native NativeLong syscall(NativeLong number, NativeLong one, Pointer two, Pointer three, NativeLong four);

    private static native int poll(Pointer descriptors, NativeLong count, int timeout);

    /** Waits until nobody can read any more what is written to the pipe {@code descriptor}. */
    static void awaitNoReader(int descriptor) {
        try (Memory descriptors = new Memory(POLL_DESCRIPTOR_BYTES)) {
            int ready = 0;
            while (ready < 1) {
                descriptors.setInt(0, descriptor);
                descriptors.setInt(4, 0);
                // errors are reported whether asked for or not; less than one: interrupted by a signal
                ready = poll(descriptors, new NativeLong(1), -1);
            }
        }
    }
}
