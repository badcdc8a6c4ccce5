/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What the HTML comment directly above a block of commands says about running it.
 *
 * <ul>
 *   <li>{@code <!-- needs: a GPU -->}: the block is not run, because of what it needs. The needs are those of
 *       {@link Need}; details may follow after a colon.
 *   <li>{@code <!-- until: The console is on -->}: the block runs until somebody stops it. The page goes on when this
 *       text has been printed, and the block is stopped at the page's end.
 *   <li>{@code <!-- output varies: times and addresses -->}, above what is printed: it is not compared.
 * </ul>
 */
sealed interface Mark {
    /** What a block may need that this machine need not have. */
    enum Need {
        CLUSTER("a cluster of your own"),
        GPU("a GPU"),
        DOWNLOAD("minutes of download"),
        QUIET_MACHINE("minutes of a quiet machine"),
        BUILD("a build of its own");

        private final String text;

        Need(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }

        private static Optional<Need> of(String text) {
            return Arrays.stream(values())
                    .filter(need -> text.equals(need.text) || text.startsWith(need.text + ":"))
                    .findFirst();
        }
    }

    /** The block is not run. */
    record Needs(Need need) implements Mark {}

    /** The block goes on while those after it are run. */
    record Until(String text) implements Mark {}

    /** What is printed differs from run to run. */
    record OutputVaries(String what) implements Mark {}

    /**
     * Reads a comment's text; other comments than these are none of ours.
     *
     * @throws IllegalArgumentException if the mark has no reason, or one that is not known
     */
    static Optional<Mark> parse(String comment) {
        int colon = comment.indexOf(':');
        String kind = (colon < 0 ? comment : comment.substring(0, colon)).strip();
        String reason = colon < 0 ? "" : comment.substring(colon + 1).strip();
        return switch (kind) {
            case "needs" ->
                Optional.of(new Needs(Need.of(reason)
                        .orElseThrow(() -> new IllegalArgumentException("\"%s\" needs one of these: %s"
                                .formatted(
                                        comment,
                                        Arrays.stream(Need.values())
                                                .map(Need::toString)
                                                .collect(Collectors.joining(", ")))))));
            case "until" -> Optional.of(new Until(given(comment, reason)));
            case "output varies" -> Optional.of(new OutputVaries(given(comment, reason)));
            default -> Optional.empty();
        };
    }

    private static String given(String comment, String reason) {
        if (reason.isEmpty()) {
            throw new IllegalArgumentException("\"%s\" says nothing after its colon".formatted(comment));
        }
        return reason;
    }
}
