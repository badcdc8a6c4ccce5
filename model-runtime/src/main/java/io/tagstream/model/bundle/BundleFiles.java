/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.bundle;

import io.tagstream.model.PiecewiseFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;

/** Reads a bundle's files from a directory or from the class path. */
final class BundleFiles {
    static final String CLASSPATH = "classpath:";

    private interface Source {
        /** The file's bytes, or null if there is no such file. */
        byte[] read(String file) throws IOException;
    }

    private final String location;
    private final Source source;

    private BundleFiles(String location, Source source) {
        this.location = location;
        this.source = source;
    }

    static BundleFiles at(String location) {
        if (location.startsWith(CLASSPATH)) {
            String folder = location.substring(CLASSPATH.length()).replaceAll("/+$", "");
            return new BundleFiles(location, file -> resource(folder + "/" + file));
        }
        try {
            return inDirectory(Path.of(location));
        } catch (InvalidPathException e) {
            throw new BundleException(
                    location, BundleReader.FILE, "a directory or classpath:FOLDER as the bundle", e.getMessage(), e);
        }
    }

    static BundleFiles inDirectory(Path directory) {
        return new BundleFiles(directory.toString(), file -> {
            Path path = directory.resolve(file);
            return Files.isRegularFile(path) ? PiecewiseFile.readAllBytes(path) : null;
        });
    }

    String location() {
        return location;
    }

    /** The bytes of a file without a checksum: the description itself. */
    byte[] read(String file) {
        byte[] bytes;
        try {
            bytes = file.startsWith(CLASSPATH)
                    ? resource(file.substring(CLASSPATH.length()))
                    : source.read(inside(file));
        } catch (IOException e) {
            throw new BundleException(location, file, "a readable file", e.toString(), e);
        }
        if (bytes == null) {
            throw new BundleException(location, file, "a file", "none");
        }
        return bytes;
    }

    byte[] read(String file, String sha256) {
        byte[] bytes = read(file);
        String found = Sha256.of(bytes);
        if (!found.equals(sha256)) {
            throw new BundleException(
                    location,
                    file,
                    "SHA-256 " + sha256,
                    "%s (%d bytes; the file is damaged or belongs to another version)".formatted(found, bytes.length));
        }
        return bytes;
    }

    private String inside(String file) {
        boolean leaves = file.isEmpty() || file.startsWith("/") || file.contains("\\") || file.contains(":");
        for (String part : file.split("/", -1)) {
            leaves |= part.equals("..");
        }
        if (leaves) {
            throw new BundleException(
                    location,
                    BundleReader.FILE,
                    "file names relative to the bundle, or classpath:NAME",
                    String.format(Locale.ROOT, "\"%s\"", file));
        }
        return file;
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = Bundle.class.getClassLoader().getResourceAsStream(name)) {
            return in == null ? null : in.readAllBytes();
        }
    }
}
