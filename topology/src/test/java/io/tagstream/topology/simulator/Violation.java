/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

/** Something is not as promised. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String promise;

    /** @param promise what was broken, in the same words for the same kind of violation */
    Violation(String promise, String how) {
        super(promise + ": " + how);
        this.promise = promise;
    }

    private Violation(String promise, String how, Throwable cause) {
        super(promise + ": " + how, cause);
        this.promise = promise;
    }

    static Violation thrown(String when, RuntimeException cause) {
        return new Violation("no thread dies, but " + cause.getClass().getSimpleName(), when + ": " + cause, cause);
    }

    String promise() {
        return promise;
    }
}
