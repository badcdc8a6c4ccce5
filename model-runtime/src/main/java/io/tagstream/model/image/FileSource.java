/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.PiecewiseFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads {@code file:} URIs under the configured roots. What counts is where a path really leads, with symbolic links
 * and {@code ..} resolved. A path that is outside the roots by its name alone is refused without looking at the disk,
 * so that nobody can find out what exists there.
 */
final class FileSource implements ImageSource {
    static final Kind KIND = new Kind(
            List.of("file"),
            Place.FILE,
            "file:///…",
            uri -> "file",
            (options, reader, addresses) -> new FileSource(options, reader));

    private final List<Path> roots;
    private final String rootsOption;
    private final LimitedReader reader;

    private FileSource(FetchOptions options, LimitedReader reader) {
        this.roots = options.fileRoots().stream()
                .map(root -> root.toAbsolutePath().normalize())
                .toList();
        this.rootsOption = options.optionNames().fileRoots();
        this.reader = reader;
    }

    @Override
    public LimitedReader.Content read(String uri, Duration longest) throws ImageException, InterruptedException {
        Path named = path(uri);
        String what = "file " + Excerpt.of(named.toString());
        try {
            List<Path> realRoots = realRoots();
            if (!isUnder(named, roots) && !isUnder(named, realRoots)) {
                throw outside(what);
            }
            Path real = named.toRealPath();
            if (!isUnder(real, realRoots)) {
                throw outside(what);
            }
            if (Files.isDirectory(real)) {
                throw new ImageException(
                        FailureReason.BAD_REFERENCE, what + " is a folder; submit the images in it one by one");
            }
            if (!Files.isRegularFile(real)) {
                throw new ImageException(FailureReason.BAD_REFERENCE, what + " is not a regular file");
            }
            try (InputStream in = PiecewiseFile.open(real, LinkOption.NOFOLLOW_LINKS)) {
                return reader.read(in, Files.size(real), what);
            }
        } catch (NoSuchFileException | FileNotFoundException | NotDirectoryException e) {
            throw new ImageException(FailureReason.FETCH_NOT_FOUND, what + " does not exist", e);
        } catch (AccessDeniedException e) {
            throw new ImageException(
                    FailureReason.FETCH_FORBIDDEN,
                    "this process may not read %s; check its permissions".formatted(what),
                    e);
        } catch (IOException e) {
            if (isBelowAFile(named)) {
                throw new ImageException(
                        FailureReason.FETCH_NOT_FOUND, what + " does not exist: it names a file as a folder", e);
            }
            throw new ImageException(
                    FailureReason.FETCH_FAILED, "%s cannot be read: %s".formatted(what, problem(e)), e);
        }
    }

    /**
     * The path of a URI.
     *
     * @throws ImageException if the URI is not valid, or its path does not exist on this kind of system
     */
    static Path path(String text) throws ImageException {
        URI uri = Iri.uri(text);
        if (uri.getRawAuthority() != null && !"localhost".equalsIgnoreCase(uri.getRawAuthority())) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "\"%s\" names the host \"%s\"; write file:///… with three slashes"
                            .formatted(Excerpt.of(uri.toString()), Excerpt.of(uri.getRawAuthority())));
        }
        if (uri.getPath() == null || !uri.getPath().startsWith("/")) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "\"%s\" has no absolute path; write file:///…".formatted(Excerpt.of(uri.toString())));
        }
        try {
            // Path.of refuses an authority, a query and a fragment
            return Path.of(URI.create("file://" + uri.getRawPath())).normalize();
        } catch (IllegalArgumentException e) {
            throw new ImageException(
                    FailureReason.BAD_REFERENCE,
                    "\"%s\" is not a path on this system: %s".formatted(Excerpt.of(uri.toString()), e.getMessage()),
                    e);
        }
    }

    private List<Path> realRoots() throws IOException {
        List<Path> real = new ArrayList<>();
        for (Path root : roots) {
            // a root may appear later, when its volume is mounted
            if (Files.exists(root)) {
                real.add(root.toRealPath());
            }
        }
        return real;
    }

    private static boolean isUnder(Path path, List<Path> roots) {
        return roots.stream().anyMatch(path::startsWith);
    }

    /** Whether a path names a file as a folder, for which Java has no exception. */
    private static boolean isBelowAFile(Path path) {
        for (Path parent = path.getParent(); parent != null; parent = parent.getParent()) {
            if (Files.isRegularFile(parent)) {
                return true;
            }
        }
        return false;
    }

    /** What the system says, without the path behind a link. */
    private static String problem(IOException failure) {
        String said = failure instanceof FileSystemException ofSystem ? ofSystem.getReason() : failure.getMessage();
        return said == null ? "the disk reports an error" : Excerpt.of(said);
    }

    private ImageException outside(String what) {
        return new ImageException(
                FailureReason.FETCH_BLOCKED,
                roots.isEmpty()
                        ? "%s is blocked: no folder may be read by file: URIs; set %s".formatted(what, rootsOption)
                        : "%s is blocked: it leads outside the folders of %s".formatted(what, rootsOption));
    }
}
