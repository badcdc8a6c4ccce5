/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

/** Why images wait. The names appear in metrics, health and logs, and in the operations page's table of remedies. */
public enum WaitReason {
    VOCABULARY_BEHIND(
            "It ends once this instance has read the newest vocabulary; if it lasts, see what the label encoder"
                    + " logs."),
    OTHER_MODEL("Give this instance the bundle that tagged the images, or a later release of it (model.bundle); or"
            + " switch to its own (model.switch).");

    private final String remedy;

    WaitReason(String remedy) {
        this.remedy = remedy;
    }

    /** What to do about it, in a sentence. */
    public String remedy() {
        return remedy;
    }
}
