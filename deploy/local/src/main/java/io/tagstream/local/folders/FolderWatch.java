/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.folders;

import io.methvin.watcher.DirectoryWatcher;
import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells which images of a selection's folders have come, changed or gone.
 *
 * <p>The operating system's notices only say that it is time to look. What counts is what two looks in a row agree on,
 * and a file that has been changed only just now is looked at for another while: one that is still being written,
 * however slowly, is not reported before it rests, and one that is replaced is never reported gone.
 *
 * <p><i>Threading notes:</i> one thread makes it, asks it and closes it; notices arrive on a thread of its own.
 */
public final class FolderWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FolderWatch.class);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(300);
    /** A file that has not changed for so long is taken to be whole. */
    private static final Duration REST = Duration.ofSeconds(2);

    private final ImageSelection selection;
    private final InstantSource clock;
    private final DirectoryWatcher watcher;
    private final Thread notices;
    /** What has been reported, or was there at the beginning. */
    private final Map<Path, Stamp> reported;

    private Map<Path, Stamp> lastLook;
    private long lastLookNanos = System.nanoTime();
    private boolean settled = true;
    private volatile boolean noticed;
    private volatile boolean closed;

    /** What tells a file's versions apart without reading it. */
    private record Stamp(long size, long modifiedNanos) {
        /** Whether the file was written long enough ago; one that was moved here, or has a time to come, was. */
        boolean rests(Instant now) {
            Duration age = Duration.between(Instant.ofEpochSecond(0, modifiedNanos), now);
            return age.isNegative() || age.compareTo(REST) >= 0;
        }
    }

    /** An image, and whether it is gone. */
    public record Change(NamedImage image, boolean deleted) {}

    /**
     * Watches from now on.
     *
     * @param present the images that the caller knows already
     * @throws OperatorException if the folders cannot be watched
     */
    public FolderWatch(ImageSelection selection, Collection<NamedImage> present) {
        this(selection, present, InstantSource.system());
    }

    FolderWatch(ImageSelection selection, Collection<NamedImage> present, InstantSource clock) {
        this.selection = selection;
        this.clock = clock;
        this.reported = look(present);
        this.lastLook = Map.copyOf(reported);
        try {
            watcher = DirectoryWatcher.builder()
                    .paths(selection.folders())
                    .fileHashing(false)
                    .listener(event -> noticed = true)
                    .build();
        } catch (IOException e) {
            throw OperatorException.failed("folders %s cannot be watched: %s".formatted(selection.folders(), e), e);
        }
        notices = new Thread(watcher::watch, "tagstream-folder-watch");
        notices.setDaemon(true);
        notices.setUncaughtExceptionHandler((thread, failure) -> {
            if (!closed) {
                log.warn("Folders are no longer watched; start again to see new images", failure);
            }
        });
        notices.start();
        // What came between the caller's look and the first notice
        noticed = true;
    }

    /** The changes since the last call. Quick where there is no notice of any. */
    public List<Change> poll() {
        if ((settled && !noticed) || System.nanoTime() - lastLookNanos < BETWEEN_LOOKS.toNanos()) {
            return List.of();
        }
        noticed = false;
        Map<Path, Stamp> look = look(selection.scan());
        Instant now = clock.instant();
        List<Change> changes = new ArrayList<>();
        look.forEach((file, stamp) -> {
            if (stamp.equals(lastLook.get(file)) && !stamp.equals(reported.get(file)) && stamp.rests(now)) {
                report(file, Optional.of(stamp)).ifPresent(changes::add);
            }
        });
        for (Path file : List.copyOf(reported.keySet())) {
            if (!look.containsKey(file) && !lastLook.containsKey(file)) {
                report(file, Optional.empty()).ifPresent(changes::add);
            }
        }
        lastLook = look;
        settled = look.equals(reported);
        lastLookNanos = System.nanoTime();
        return changes;
    }

    private Optional<Change> report(Path file, Optional<Stamp> stamp) {
        stamp.ifPresentOrElse(present -> reported.put(file, present), () -> reported.remove(file));
        return selection.imageOf(file).map(image -> new Change(image, stamp.isEmpty()));
    }

    private static Map<Path, Stamp> look(Collection<NamedImage> images) {
        Map<Path, Stamp> stamps = new HashMap<>();
        for (NamedImage image : images) {
            image.file().ifPresent(file -> stamp(file).ifPresent(stamp -> stamps.put(file, stamp)));
        }
        return stamps;
    }

    private static Optional<Stamp> stamp(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return Optional.of(
                    new Stamp(attributes.size(), attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS)));
        } catch (IOException e) {
            log.debug("{} is gone again", file, e);
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            watcher.close();
        } catch (IOException e) {
            log.warn("The folders' watch did not close in order", e);
        }
    }
}
