/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli.bench;

import io.tagstream.CommandException;
import io.tagstream.images.ImageSelection;
import io.tagstream.images.NamedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The photos that a benchmark works with.
 *
 * @param roots the folders that Tagstream must be allowed to read, as {@code fetch.file.roots} takes them
 */
record BenchPhotos(List<NamedImage> images, String roots) {
    /**
     * The photos of a folder, so many at most.
     *
     * @throws CommandException if there are none
     */
    static BenchPhotos of(Path folder, int most) {
        ImageSelection selection = ImageSelection.of(List.of(folder.toString()));
        List<NamedImage> found = selection.scan();
        if (found.isEmpty()) {
            throw CommandException.usage("no images in %s; give a folder that has some".formatted(folder));
        }
        return new BenchPhotos(
                found.subList(0, Math.min(found.size(), most)),
                selection.roots().stream().map(Path::toString).collect(Collectors.joining(",")));
    }
}
