/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.image.OpenCvLibrary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A pool's temporary directory: the children's working directory, with what of native libraries and jars is not on the
 * disk already. The parent deletes it when it closes. If the parent crashes, the next one deletes it, because its lock
 * is free; children that are not sealed do so at once.
 *
 * <p><i>Threading notes.</i> One thread at a time.
 */
final class SharedDirectory implements AutoCloseable {
    private static final String PREFIX = "tagstream-decoders";
    private static final String LOCK = "lock";
    /** This process's: to open a lock and close it again would free it. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final FileChannel lock;
    private final Path library;

    private SharedDirectory(Path path, FileChannel lock, Path library) {
        this.path = path;
        this.lock = lock;
        this.library = library;
    }

    static SharedDirectory create() throws IOException {
        Path path = Files.createTempDirectory(PREFIX);
        OWN.add(path);
        deleteAbandoned(path.getParent());
        FileChannel lock =
                FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        boolean complete = false;
        try {
            FileLock unused = lock.lock();
            SharedDirectory directory = new SharedDirectory(path, lock, OpenCvLibrary.unpackedOr(path));
            complete = true;
            return directory;
        } finally {
            if (!complete) {
                lock.close();
                delete(path);
                OWN.remove(path);
            }
        }
    }

    private static void deleteAbandoned(Path parent) throws IOException {
        try (DirectoryStream<Path> others = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path other : others) {
                if (!OWN.contains(other) && isAbandoned(other.resolve(LOCK))) {
                    delete(other);
                }
            }
        }
    }

    private static boolean isAbandoned(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (IOException e) {
            // it is another user's, or just being made or deleted
            return false;
        }
    }

    Path path() {
        return path;
    }

    Path library() {
        return library;
    }

    /** What is at {@code entry} of a class path, as a jar: a sealed process can read only what it has opened before. */
    Path jar(Path entry) throws IOException {
        if (!Files.isDirectory(entry)) {
            return entry;
        }
        Path jar = path.resolve("classes-%08x.jar".formatted(entry.hashCode()));
        if (!Files.exists(jar)) {
            Path unfinished = path.resolve(jar.getFileName() + ".tmp");
            pack(entry, unfinished);
            Files.move(unfinished, jar);
        }
        return jar;
    }

    private static void pack(Path directory, Path jar) throws IOException {
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(file);
                Stream<Path> files = Files.walk(directory)) {
            zip.setLevel(Deflater.NO_COMPRESSION);
            List<Path> classes =
                    files.filter(name -> name.toString().endsWith(".class")).toList();
            for (Path type : classes) {
                zip.putNextEntry(
                        new ZipEntry(directory.relativize(type).toString().replace('\\', '/')));
                Files.copy(type, zip);
            }
        }
    }

    @Override
    public void close() throws IOException {
        lock.close();
        delete(path);
        OWN.remove(path);
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
