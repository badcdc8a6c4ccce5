/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.util.List;
import java.util.Set;

/**
 * The text of a label.
 *
 * @param name the label's name, which replaces <code>{}</code> in prompts
 * @param prompts texts whose vectors are averaged; empty to use the bundle's templates
 */
public record LabelText(String name, List<String> prompts) {
    /** The most prompts of a label. */
    public static final int MOST_PROMPTS = 64;

    /** Letters and symbols that are drawn as nothing: Hangul fillers and the blank braille pattern. */
    private static final Set<Integer> BLANKS = Set.of(0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0);

    public LabelText {
        prompts = List.copyOf(prompts);
    }

    /**
     * Whether a text counts as empty because nobody can see any of it: it has only spaces, and characters that control,
     * format or combine with others.
     */
    public static boolean showsNothing(String text) {
        return text.codePoints().noneMatch(LabelText::shows);
    }

    private static boolean shows(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.UNASSIGNED,
                    Character.SPACE_SEPARATOR,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.NON_SPACING_MARK,
                    Character.ENCLOSING_MARK,
                    Character.COMBINING_SPACING_MARK -> false;
            default -> !BLANKS.contains(character);
        };
    }
}
