/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.failures;

import io.tagstream.avro.ImageFailureReason;
import io.tagstream.cluster.failures.Resubmission.Sent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The records to submit again: each one once, however often it is found. Used by one thread. */
public final class Replay {
    private final Map<String, Item> items = new LinkedHashMap<>();
    private final Consumer<String> notes;
    private int obstructed;

    /**
     * A record to submit again.
     *
     * @param origin where it was: {@code topic-partition@offset}
     * @param id an image's id, or a dead letter's key as text; null if it has none
     * @param reason why an image could not be tagged; empty for dead letters
     * @param submission submits it
     */
    public record Item(String origin, String id, Optional<ImageFailureReason> reason, Supplier<Sent> submission) {
        /** A few words that say which record it is. */
        public String what() {
            return (id == null ? "no key" : id) + reason.map(why -> "  " + why).orElse("");
        }
    }

    private Replay(Consumer<String> notes) {
        this.notes = notes;
    }

    /**
     * Returns the current failures of images, except those whose image has since been submitted again or deleted.
     *
     * @param notes receives a sentence for each failure that is left out
     */
    public static Replay ofImages(
            FailureReader reader, Resubmission resubmission, Selection selection, Consumer<String> notes) {
        Replay replay = new Replay(notes);
        List<FailedImage> failures = reader.current(selection);
        Map<String, String> again = reader.submittedAgain(failures);
        for (FailedImage failed : failures) {
            String later = again.get(failed.imageId());
            if (later != null) {
                notes.accept("left out %s, %s: since submitted again or deleted, at %s"
                        .formatted(failed.origin(), failed.imageId(), later));
            } else {
                replay.add(
                        new Item(
                                failed.origin(),
                                failed.imageId(),
                                Optional.of(failed.failure().getReason()),
                                () -> resubmission.submit(failed)),
                        Resubmission.obstacle(failed));
            }
        }
        return replay;
    }

    /** Returns the selected dead letters. */
    public static Replay ofDeadLetters(
            FailureReader reader, Resubmission resubmission, Selection selection, Consumer<String> notes) {
        Replay replay = new Replay(notes);
        for (DeadLetter letter : reader.deadLetters(selection)) {
            replay.add(
                    new Item(letter.origin(), letter.keyText(), Optional.empty(), () -> resubmission.submit(letter)),
                    resubmission.obstacle(letter));
        }
        return replay;
    }

    private void add(Item item, Optional<String> obstacle) {
        if (obstacle.isPresent()) {
            notes.accept("left out %s, %s: %s".formatted(item.origin(), item.what(), obstacle.get()));
            obstructed++;
        } else {
            items.putIfAbsent(item.origin(), item);
        }
    }

    /** The records that can be submitted, oldest failure first. */
    public List<Item> items() {
        return List.copyOf(items.values());
    }

    /** How many of the selected records cannot be submitted. */
    public int obstructed() {
        return obstructed;
    }
}
