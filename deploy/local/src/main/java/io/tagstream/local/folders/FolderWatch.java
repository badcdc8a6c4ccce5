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
 * Reports which images in a selection's folders have appeared, changed or disappeared.
 *
 * <p>The operating system's notices only say that it is time to look. A change counts if two looks in a row agree on
 * it, and a file that has only just changed is watched a while longer. So a file that is still being written, however
 * slowly, is not reported until it rests, and a file that is replaced is never reported as gone.
 *
 * <p><i>Threading notes:</i> one thread creates, polls and closes it; notices arrive on its own thread.
 */
public final class FolderWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FolderWatch.class);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(300);
    /** How long a file must stay unchanged before it is considered complete. */
    private static final Duration REST = Duration.ofSeconds(2);

    private final ImageSelection selection;
    private final InstantSource clock;
    private final DirectoryWatcher watcher;
    private final Thread notices;
    /** The files that have been reported or were there at the start. */
    private final Map<Path, Stamp> reported;

    private Map<Path, Stamp> lastLook;
    private long lastLookNanos = System.nanoTime();
    private boolean settled = true;
    private volatile boolean noticed;
    private volatile boolean closed;

    /** Tells a file's versions apart without reading the file. */
    private record Stamp(long size, long modifiedNanos) {
        /**
         * Whether the file was last modified long enough ago; also true if it was moved here with an old time, or is
         * dated in the future.
         */
        boolean rests(Instant now) {
            Duration age = Duration.between(Instant.ofEpochSecond(0, modifiedNanos), now);
            return age.isNegative() || age.compareTo(REST) >= 0;
        }
    }

    /** An image, and whether it is gone. */
    public record Change(NamedImage image, boolean deleted) {}

    /**
     * Starts to watch.
     *
     * @param present the images that the caller already knows
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
                log.warn("Folders are no longer watched; restart to tag new images", failure);
            }
        });
        notices.start();
        // Finds changes between the caller's look and the first notice
        noticed = true;
    }

    /** The changes since the last call. Returns quickly if there has been no notice. */
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
            log.warn("The folder watch did not close cleanly", e);
        }
    }
}
