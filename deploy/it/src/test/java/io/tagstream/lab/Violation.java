/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

/** Something that must not happen. {@code what} says what was found and what was expected. */
record Violation(Kind kind, String what) {
    /** Kinds of violations. */
    enum Kind {
        /** A submission without an outcome. */
        LOST,
        /** A submission with more than one outcome. */
        DUPLICATED,
        /** An outcome that belongs to no submission. */
        INVENTED,
        /** Two outcomes of one image ID that are not in the order of their submissions. */
        OUT_OF_ORDER,
        /** An outcome that differs from what the model expects. */
        WRONG_OUTCOME,
        /** The latest record of an image ID is not from the last submission that changed it. */
        WRONG_LATEST,
        /** The changes of an image's tags do not add up to its tags. */
        WRONG_CHANGES,
        /** A vocabulary older than one that was in force before. */
        OLDER_VOCABULARY,
        /** The end of the vocabulary was never encoded. */
        VOCABULARY_NOT_ENCODED,
        /** The end of the vocabulary was never put in force with the control record in force. */
        CONTROL_NOT_FOLLOWED,
        /** A known image without the tags of the last epoch. */
        NOT_FOLLOWED,
        /** A partition was silent for longer than its faults may make it. */
        SILENT_TOO_LONG,
        /** {@code /health/tagging} was not true. */
        UNTRUE_HEALTH,
        /** An instance logged an error that the operations page does not list. */
        UNKNOWN_ERROR,
        /** An entry is left in the pending store although no outcome is owed. */
        PENDING_LEFT
    }

    @Override
    public String toString() {
        return kind + ": " + what;
    }
}
