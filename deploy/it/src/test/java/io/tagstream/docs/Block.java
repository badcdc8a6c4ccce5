/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import java.util.Optional;
import java.util.Set;

/**
 * A fenced block of a page.
 *
 * @param page where it stands, for messages
 * @param line the line of its opening fence, from 1 on
 * @param language the fence's info string; empty where there is none
 * @param text what stands between the fences
 * @param mark what the comment directly above it says
 * @param output the block directly below it, if that shows what it prints
 */
record Block(String page, int line, String language, String text, Optional<Mark> mark, Optional<Block> output) {
    /** Languages of blocks that are run. */
    static final Set<String> RUN = Set.of("sh", "python");

    /** Languages of blocks that are shown. Another spelling of one that is run would escape it. */
    static final Set<String> SHOWN = Set.of("", "json", "properties", "yaml", "mermaid");

    boolean isRun() {
        return RUN.contains(language);
    }

    @Override
    public String toString() {
        return page + ":" + line;
    }
}
