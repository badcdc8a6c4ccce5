/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.broker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reserves a directory for one broker: among processes with a lock on a file that names the owner, within this process
 * with a set.
 *
 * <p>Thread-safe. The set comes first: on POSIX systems, closing a second channel to the file would release the lock.
 */
final class DirectoryLock implements AutoCloseable {
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();
    private static final long LOCKED_BYTE = Long.MAX_VALUE - 1; // beyond the text, so all systems can still read it

    private final Path directory;
    private final FileChannel channel;
    private final FileLock lock;

    private DirectoryLock(Path directory, FileChannel channel, FileLock lock) {
        this.directory = directory;
        this.channel = channel;
        this.lock = lock;
    }

    /**
     * Takes the lock or fails immediately.
     *
     * @param directory the directory; created if missing
     * @throws IOException when the directory is in use or cannot be written
     */
    static DirectoryLock acquire(Path directory) throws IOException {
        Path canonical;
        try {
            canonical = Files.createDirectories(directory).toRealPath();
        } catch (IOException unusable) {
            throw unusable(directory, unusable);
        }
        if (!OWN.add(canonical)) {
            throw inUse(directory, "a broker of this process");
        }
        try {
            return lock(canonical);
        } catch (IOException | RuntimeException failed) {
            OWN.remove(canonical);
            throw failed;
        }
    }

    private static DirectoryLock lock(Path directory) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(
                    directory.resolve("broker.lock"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
        } catch (IOException unusable) {
            throw unusable(directory, unusable);
        }
        try {
            FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
            if (lock == null) {
                throw inUse(directory, owner(channel));
            }
            String processId = Long.toString(ProcessHandle.current().pid());
            channel.truncate(0).write(ByteBuffer.wrap(processId.getBytes(StandardCharsets.US_ASCII)), 0);
            return new DirectoryLock(directory, channel, lock);
        } catch (IOException | RuntimeException failed) {
            channel.close();
            throw failed;
        }
    }

    private static String owner(FileChannel channel) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(32);
        channel.read(buffer, 0);
        String processId = new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII);
        return processId.isEmpty() ? "another process" : "process " + processId;
    }

    private static IOException inUse(Path directory, String owner) {
        return new IOException("The data directory " + directory + " is in use by " + owner
                + ": stop it, or choose another directory");
    }

    private static IOException unusable(Path directory, IOException cause) {
        return new IOException(
                "Cannot use " + directory + " for a broker's data (" + cause
                        + "): choose a directory that can be written",
                cause);
    }

    @Override
    public void close() {
        try (FileChannel closing = channel) {
            lock.release();
        } catch (IOException exception) {
            throw new UncheckedIOException("Cannot release the data directory " + directory, exception);
        } finally {
            OWN.remove(directory);
        }
    }
}
