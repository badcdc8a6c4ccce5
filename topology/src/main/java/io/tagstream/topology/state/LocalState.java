/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.state;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.tagging.TaggingMetric;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.errors.StreamsException;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state directory of this process. Its stores are copies: everything in them is in Kafka too, in changelogs. So a
 * damaged store is put aside and restored; a directory that cannot be used ends the process, with a sentence, so that
 * other instances take over and a supervisor tries again.
 *
 * <p><i>Threading notes.</i> Thread-safe; {@link #putDamagedAside} is for the time before the tasks start.
 */
public final class LocalState {
    private static final Logger log = LoggerFactory.getLogger(LocalState.class);
    private static final Pattern TASK = Pattern.compile("\\d+_\\d+");
    private static final String ASIDE = ".damaged-";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);
    private static final String PROBE = ".write-probe";

    /** Less room than this is none: opening the stores of some tasks takes as much. */
    private static final int LEAST_ROOM = 1024 * 1024;

    private static final String ELSEWHERE = "name another directory (state.dir; --data-dir for tagstream local)";
    /** What Kafka Streams says if another process, or another instance in this one, has the directory. */
    private static final String IN_USE = "multiple instances of Kafka Streams are running in the same state directory";

    private static final String NO_SPACE = "No space left on device";
    private static final String NO_FILE = "No such file or directory";

    private final Path directory;
    private final Counter damaged;

    public LocalState(TagstreamConfig config, MeterRegistry metrics) {
        this.directory = Path.of(config.getString(TagstreamConfig.STATE_DIR))
                .toAbsolutePath()
                .normalize();
        this.damaged = TaggingMetric.DAMAGED_STATE.counter(metrics);
    }

    /**
     * Writes something and deletes it again.
     *
     * @throws UnusableStateException if the directory cannot be written, or its disk is full
     */
    public void requireWritable() {
        try {
            Files.createDirectories(directory);
            Path probe = directory.resolve(PROBE);
            try (FileChannel file = FileChannel.open(
                    probe, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                ByteBuffer zeros = ByteBuffer.allocate(LEAST_ROOM);
                while (zeros.hasRemaining()) {
                    file.write(zeros);
                }
                file.force(true);
            } finally {
                Files.deleteIfExists(probe);
            }
        } catch (IOException e) {
            throw isNoSpace(e) ? full(e) : unwritable(reason(e), e);
        }
    }

    /**
     * Puts the tasks whose stores cannot be opened aside, so that they are restored from Kafka. Call this while Kafka
     * Streams has the application's directory locked and no store open.
     *
     * @throws UnusableStateException if the stores cannot be read for another reason than damage
     */
    public void putDamagedAside(String applicationId) {
        Path application = directory.resolve(applicationId);
        if (!Files.isDirectory(application)) {
            return;
        }
        try {
            for (Path task : entries(application, TASK)) {
                try {
                    new StoredFiles(task).read();
                } catch (RocksDBException e) {
                    Optional<UnusableStateException> disk = ofDisk(e);
                    if (disk.isPresent()) {
                        throw disk.get();
                    }
                    putAside(task, e);
                } catch (AccessDeniedException e) {
                    throw unwritable(reason(e), e);
                } catch (IOException e) {
                    putAside(task, e);
                }
            }
        } catch (IOException e) {
            throw isNoSpace(e) ? full(e) : unwritable(reason(e), e);
        }
    }

    private void putAside(Path task, Exception damage) throws IOException {
        String name = task.getFileName().toString();
        for (Path earlier : entries(task.getParent(), Pattern.compile(Pattern.quote(name + ASIDE) + ".*"))) {
            delete(earlier); // one is enough to look at, and a disk has an end
        }
        Path aside = task.resolveSibling(name + ASIDE + TIME.format(Instant.now()));
        Files.move(task, aside);
        damaged.increment();
        log.warn(
                "State in {} is damaged: {}. It was moved to {} and is being restored from Kafka. Check the disk;"
                        + " delete the damaged files when you do not need them any more.",
                task,
                sentence(damage),
                aside.getFileName());
    }

    private static void delete(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }

    private static List<Path> entries(Path directory, Pattern names) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(entry ->
                            names.matcher(entry.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }

    /**
     * The exception to throw if Kafka Streams cannot take its directory or open its stores: one that says what to do,
     * or {@code thrown} itself if it has nothing to do with the directory.
     */
    public StreamsException explained(String applicationId, StreamsException thrown) {
        Path application = directory.resolve(applicationId);
        if (String.valueOf(thrown.getMessage()).contains(IN_USE)) {
            return new UnusableStateException(
                    ("state directory %s is in use by another instance: stop that one, or %s;"
                                    + " every instance needs a directory of its own")
                            .formatted(application, ELSEWHERE),
                    thrown);
        }
        if (cause(thrown, ProcessorStateException.class).isEmpty()) {
            return thrown;
        }
        return ofDisk(thrown)
                .orElseGet(() -> new UnusableStateException(
                        "state directory %s cannot be used: %s; delete it, and its state is restored from Kafka"
                                .formatted(application, lastCause(thrown).getMessage()),
                        thrown));
    }

    /** Notes why a task has failed, if its stores are damaged: Kafka Streams deletes and restores them. */
    public boolean isDamaged(Throwable thrown) {
        Optional<RocksDBException> damage =
                cause(thrown, RocksDBException.class).filter(LocalState::isDamage);
        if (damage.isPresent()) {
            damaged.increment();
            log.warn(
                    "State in {} is damaged: {}. It is deleted and restored from Kafka. Check the disk.",
                    directory,
                    sentence(damage.get()));
        }
        return damage.isPresent();
    }

    /** What to say if the disk is to blame for an exception; empty if it is not. */
    public Optional<UnusableStateException> ofDisk(Throwable thrown) {
        Optional<RocksDBException> store = cause(thrown, RocksDBException.class);
        if (store.isPresent()) {
            Status status = store.get().getStatus();
            if (status == null || status.getCode() != Status.Code.IOError || isDamage(store.get())) {
                return Optional.empty();
            }
            boolean full = status.getSubCode() == Status.SubCode.NoSpace || isNoSpace(store.get());
            return Optional.of(full ? full(thrown) : unwritable(store.get().getMessage(), thrown));
        }
        return cause(thrown, ProcessorStateException.class)
                .flatMap(state -> cause(state, IOException.class))
                .map(failed -> isNoSpace(failed) ? full(thrown) : unwritable(reason(failed), thrown));
    }

    /** A file that is missing is damage, though RocksDB reports it as an error of the disk. */
    private static boolean isDamage(RocksDBException thrown) {
        Status status = thrown.getStatus();
        return status != null
                && (status.getCode() == Status.Code.Corruption
                        || String.valueOf(thrown.getMessage()).contains(NO_FILE));
    }

    private static boolean isNoSpace(Exception thrown) {
        return String.valueOf(thrown.getMessage()).contains(NO_SPACE);
    }

    private UnusableStateException full(Throwable cause) {
        return new UnusableStateException(
                ("the disk of state directory %s is full: free some room, or %s, and start again;"
                                + " nothing is lost, Kafka has a copy of the state")
                        .formatted(directory, ELSEWHERE),
                cause);
    }

    private UnusableStateException unwritable(String reason, Throwable cause) {
        return new UnusableStateException(
                ("state directory %s cannot be used: %s; make the directory readable and writable, or %s, and start"
                                + " again; nothing is lost, Kafka has a copy of the state")
                        .formatted(directory, reason, ELSEWHERE),
                cause);
    }

    /** RocksDB ends some of its messages with a full stop, and pads others. */
    private static String sentence(Exception damage) {
        return String.valueOf(damage.getMessage()).replaceAll("\\s+", " ").replaceFirst("\\.$", "");
    }

    private static String reason(IOException thrown) {
        if (thrown instanceof AccessDeniedException) {
            return "permission denied";
        }
        return thrown instanceof FileSystemException file && file.getReason() != null
                ? file.getReason()
                : thrown.getMessage();
    }

    private static Throwable lastCause(Throwable thrown) {
        Throwable last = thrown;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        return last;
    }

    private static <T extends Throwable> Optional<T> cause(Throwable thrown, Class<T> type) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return Optional.of(type.cast(cause));
            }
        }
        return Optional.empty();
    }
}
