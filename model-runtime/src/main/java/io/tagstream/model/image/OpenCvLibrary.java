/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.opencv.core.Core;

/**
 * OpenCV's native library, of which OpenCV's jar holds one for each platform. Using this class does not load the
 * library.
 */
public final class OpenCvLibrary {
    /** System property: the library that the process loads. If it is not set, the process unpacks one for itself. */
    public static final String UNPACKED = "tagstream.opencv.library";

    private static final String RESOURCES = "/nu/pattern/opencv/";

    private OpenCvLibrary() {}

    /**
     * The library that another process can load: the one that {@link #UNPACKED} names, or this platform's, unpacked
     * into {@code directory}, about 60 MB.
     *
     * @throws FileNotFoundException if there is none for this platform
     */
    public static Path unpackedOr(Path directory) throws IOException {
        String unpacked = System.getProperty(UNPACKED);
        return unpacked == null ? unpack(directory) : Path.of(unpacked);
    }

    /**
     * Unpacks this platform's library, about 60 MB.
     *
     * @return the file, in {@code directory}
     * @throws FileNotFoundException if there is none for this platform
     */
    static Path unpack(Path directory) throws IOException {
        String name = System.mapLibraryName(Core.NATIVE_LIBRARY_NAME);
        String resource = RESOURCES + platform() + "/" + name;
        Path library = directory.resolve(name);
        try (InputStream in = Core.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new FileNotFoundException(
                        "OpenCV's jar has no native library for this platform: it has no " + resource);
            }
            Files.copy(in, library);
        }
        return library;
    }

    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String os = system.startsWith("windows") ? "windows" : system.startsWith("mac") ? "osx" : "linux";
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        return os + "/"
                + switch (arch) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "ARMv8";
                    case "arm" -> "ARMv7";
                    default -> arch;
                };
    }
}
