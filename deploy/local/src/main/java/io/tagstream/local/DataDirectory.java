/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where local mode keeps Kafka's logs and the local state. If the user names no directory, it is a temporary one,
 * deleted on close.
 */
public final class DataDirectory implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DataDirectory.class);

    private final Path directory;
    private final boolean temporary;

    private DataDirectory(Path directory, boolean temporary) {
        this.directory = directory;
        this.temporary = temporary;
    }

    /**
     * Opens the named directory, creating it if missing, or a temporary one.
     *
     * @throws OperatorException if the directory holds something else or cannot be written
     */
    public static DataDirectory open(Optional<Path> named) {
        try {
            if (named.isEmpty()) {
                return new DataDirectory(Files.createTempDirectory("tagstream-"), true);
            }
            DataDirectory data = new DataDirectory(named.get().toAbsolutePath().normalize(), false);
            data.prepare();
            return data;
        } catch (IOException e) {
            throw OperatorException.failed(
                    "data directory %s cannot be written: %s; name a writable one with --data-dir"
                            .formatted(named.map(Path::toString).orElse(System.getProperty("java.io.tmpdir")), e),
                    e);
        }
    }

    private void prepare() throws IOException {
        if (Files.exists(directory) && !Files.isDirectory(directory)) {
            throw OperatorException.invalid("--data-dir %s is not a directory".formatted(directory));
        }
        Files.createDirectories(directory);
        if (!Files.isDirectory(kafka()) && !isEmpty()) {
            throw OperatorException.invalid(
                    ("--data-dir %s contains other files; give an empty directory, one that does not"
                                    + " exist yet, or one that an earlier run made")
                            .formatted(directory));
        }
    }

    private boolean isEmpty() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.findAny().isEmpty();
        }
    }

    /** Where Kafka keeps its logs. */
    public Path kafka() {
        return directory.resolve("kafka");
    }

    /** Where Kafka Streams keeps its state. */
    public Path state() {
        return directory.resolve("state");
    }

    /** Where pictures that users submit are kept. */
    public Path uploads() {
        return directory.resolve("uploads");
    }

    @Override
    public void close() {
        if (temporary) {
            try {
                FileUtils.deleteDirectory(directory.toFile());
            } catch (IOException e) {
                log.warn("The temporary directory {} could not be removed; delete it by hand", directory, e);
            }
        }
    }
}
