/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.UndecodedImage;
import io.tagstream.topology.records.Blame;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The images of one task that cannot be read before the schema registry answers. It is asked for all of them at a time,
 * off the stream thread, and again after a pause that doubles up to 10 s.
 *
 * <p><i>Threading notes.</i> All methods are called by the task's stream thread. The thread of {@link RegistryAccess}
 * reads the images of a round and adds what became of them to a queue.
 */
final class LateDecoding {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final TaggingContext shared;
    private final Set<OwedImage> waiting = new LinkedHashSet<>();
    private final Queue<Round> rounds = new ConcurrentLinkedQueue<>();
    private boolean asking;
    private String unanswered;
    private Duration pause = FIRST_PAUSE;

    /** When to ask next, by {@link TaggingContext#nanoTime}. */
    private long nextAt;

    /** What became of an image: either it could be read, or it never can. */
    record Decoded(OwedImage owed, PendingImage image, RuntimeException refusal) {}

    /** What became of the images of a round, and why some of them still wait; null if none does. */
    private record Round(List<Decoded> decoded, String unanswered) {}

    LateDecoding(TaggingContext shared) {
        this.shared = shared;
        this.nextAt = shared.nanoTime();
    }

    void add(OwedImage owed) {
        waiting.add(owed);
    }

    /** The number of images that wait. */
    int size() {
        return waiting.size();
    }

    /** Why images wait, once the registry has been asked in vain. */
    Optional<String> unanswered() {
        return Optional.ofNullable(unanswered);
    }

    /** Takes the images that wait no longer, and asks for the others if it is time. */
    List<Decoded> take() {
        long now = shared.nanoTime();
        List<Decoded> taken = List.of();
        Round round = rounds.poll();
        if (round != null) {
            asking = false;
            taken = round.decoded();
            taken.forEach(decoded -> waiting.remove(decoded.owed()));
            unanswered = round.unanswered();
            if (unanswered == null) {
                pause = FIRST_PAUSE;
                nextAt = now;
            } else {
                nextAt = now + pause.toNanos();
                Duration doubled = pause.multipliedBy(2);
                pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
            }
        }
        if (!asking && !waiting.isEmpty() && now - nextAt >= 0) {
            asking = true;
            List<OwedImage> all = List.copyOf(waiting);
            shared.registry().ask(() -> ask(all));
        }
        return taken;
    }

    private void ask(List<OwedImage> images) {
        List<Decoded> decoded = new ArrayList<>();
        Set<Integer> unansweredSchemas = new HashSet<>();
        String why = "the question was interrupted";
        try {
            why = ask(images, decoded, unansweredSchemas);
        } finally {
            rounds.add(new Round(decoded, why));
        }
    }

    private String ask(List<OwedImage> images, List<Decoded> decoded, Set<Integer> unansweredSchemas) {
        String why = null;
        for (OwedImage owed : images) {
            UndecodedImage undecoded = owed.undecoded();
            byte[] value = Admission.bytes(undecoded.getValue());
            Optional<Integer> unknown = shared.contracts().imageReference().unknownSchema(value);
            if (unknown.filter(unansweredSchemas::contains).isPresent()) {
                continue;
            }
            try {
                PendingImage image = shared.acceptance()
                        .accept(
                                undecoded.getImageId(),
                                value,
                                undecoded.getOrigin(),
                                undecoded.getTimestamp(),
                                undecoded.getHeaders())
                        .image();
                decoded.add(new Decoded(owed, image, null));
            } catch (RuntimeException e) {
                if (Blame.isOnRecord(e)) {
                    decoded.add(new Decoded(owed, null, e));
                } else {
                    unknown.ifPresent(unansweredSchemas::add);
                    why = Objects.requireNonNullElseGet(e.getMessage(), e::toString);
                }
            }
        }
        if (why == null) {
            shared.registry().answered();
        } else {
            shared.registry().unanswered();
        }
        return why;
    }
}
