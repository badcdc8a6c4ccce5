/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Leaves out steps of a history for as long as it breaks the same promise (delta debugging; A. Zeller and R. Hildebrandt,
 * Simplifying and isolating failure-inducing input, 2002).
 */
final class Shortening {
    private final String promise;
    private History shortest;

    private Shortening(History history, String promise) {
        this.shortest = history;
        this.promise = promise;
    }

    /** A shorter history that breaks the same promise; no single step of it can be left out. */
    static History of(History history, Violation violation) {
        Shortening shortening = new Shortening(history, violation.promise());
        shortening.shorten();
        return shortening.shortest;
    }

    private void shorten() {
        int length = Math.max(1, shortest.steps().size() / 2);
        while (length > 0) {
            boolean shortened = false;
            for (int from = 0; from < shortest.steps().size(); ) {
                if (breaksWithout(from, Math.min(shortest.steps().size(), from + length))) {
                    shortened = true; // the next steps are now where these were
                } else {
                    from += length;
                }
            }
            if (length == 1 && shortened) {
                continue; // one step less may make others needless
            }
            length = length == 1 ? 0 : length / 2;
        }
    }

    private boolean breaksWithout(int from, int to) {
        List<Step> rest = new ArrayList<>(shortest.steps().subList(0, from));
        rest.addAll(shortest.steps().subList(to, shortest.steps().size()));
        History shorter = shortest.with(rest);
        boolean breaks = violation(shorter)
                .filter(violation -> violation.promise().equals(promise))
                .isPresent();
        if (breaks) {
            shortest = shorter;
        }
        return breaks;
    }

    /** How a history breaks a promise; empty if it breaks none. */
    static Optional<Violation> violation(History history) {
        try {
            Simulation.run(history);
            return Optional.empty();
        } catch (Violation violation) {
            return Optional.of(violation);
        }
    }
}
