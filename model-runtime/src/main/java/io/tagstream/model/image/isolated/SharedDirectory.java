/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.Excerpt;
import io.tagstream.model.image.OpenCvLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A pool's temporary directory. If the native library is not unpacked already, it is unpacked there once for all
 * children. The parent deletes the directory when it closes; if the parent crashes, the children delete it.
 */
final class SharedDirectory implements AutoCloseable {
    private static final int CRASH_REPORT_LINES = 40;
    /** The lines that name the signal, and a frame of a library, of Java code or of the virtual machine. */
    private static final Pattern CRASH_REPORT_LINE = Pattern.compile("^# (  ?SIG|  ?Internal Error|[CVJj] )");

    private final Path path;
    private final Path library;

    private SharedDirectory(Path path, Path library) {
        this.path = path;
        this.library = library;
    }

    static SharedDirectory create() throws IOException {
        Path path = Files.createTempDirectory("tagstream-decoders");
        return new SharedDirectory(path, OpenCvLibrary.unpackedOr(path));
    }

    Path path() {
        return path;
    }

    Path library() {
        return library;
    }

    /** The file in which Java reports that a process crashed. */
    Path crashReport(String pid) {
        return path.resolve("crash-" + pid + ".log");
    }

    /**
     * Takes the crash report of a process that has ended: signal and frame; empty if it did not crash. Deletes the
     * file, so that many crashes do not fill the disk.
     */
    Optional<String> takeCrashReport(long pid) throws IOException {
        Path file = crashReport(Long.toString(pid));
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return Optional.of(Excerpt.of(lines.limit(CRASH_REPORT_LINES)
                    .filter(line -> CRASH_REPORT_LINE.matcher(line).find())
                    .map(line -> line.substring(1).strip())
                    .collect(Collectors.joining(" in "))));
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Override
    public void close() throws IOException {
        delete(path);
    }

    /** Deletes the directory and the files in it, if they still exist. */
    static void delete(Path directory) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            return;
        }
        Files.deleteIfExists(directory);
    }
}
