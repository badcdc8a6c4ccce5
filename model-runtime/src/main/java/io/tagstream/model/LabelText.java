/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.util.List;

/**
 * The text of a label.
 *
 * @param name the label's name, which replaces <code>{}</code> in prompts
 * @param prompts texts whose vectors are averaged; empty to use the bundle's templates
 */
public record LabelText(String name, List<String> prompts) {
    public LabelText {
        prompts = List.copyOf(prompts);
    }
}
