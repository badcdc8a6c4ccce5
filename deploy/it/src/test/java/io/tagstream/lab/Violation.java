/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

/** Something that must not be. {@code what} says what was found and what was expected. */
record Violation(Kind kind, String what) {
    /** Kinds of violations. */
    enum Kind {
        /** A submission without an outcome. */
        LOST,
        /** A submission with more outcomes than one. */
        DUPLICATED,
        /** An outcome of nothing that was submitted. */
        INVENTED,
        /** Two outcomes of one image id against the order of their submissions. */
        OUT_OF_ORDER,
        /** An outcome other than the model's. */
        WRONG_OUTCOME,
        /** The latest record of an image id is not its last submission's that changed it. */
        WRONG_LATEST,
        /** The changes of an image's tags do not add up to its tags. */
        WRONG_CHANGES,
        /** A vocabulary older than one that was in force before. */
        OLDER_VOCABULARY,
        /** The end of the vocabulary was never encoded. */
        VOCABULARY_NOT_ENCODED,
        /** A known image without the tags of the vocabulary's end. */
        NOT_FOLLOWED,
        /** An entry in the pending store, and nothing that owes an outcome. */
        PENDING_LEFT
    }

    @Override
    public String toString() {
        return kind + ": " + what;
    }
}
