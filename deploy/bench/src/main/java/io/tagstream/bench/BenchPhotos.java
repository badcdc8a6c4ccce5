/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.OperatorException;
import io.tagstream.local.folders.ImageSelection;
import io.tagstream.local.folders.NamedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The photos that a benchmark uses.
 *
 * @param roots the folders that Tagstream must be allowed to read, as {@code fetch.file.roots} takes them
 */
record BenchPhotos(List<NamedImage> images, String roots) {
    /**
     * The photos of a folder, at most {@code most}.
     *
     * @throws OperatorException if there are none
     */
    static BenchPhotos of(Path folder, int most) {
        ImageSelection selection = ImageSelection.of(List.of(folder.toString()));
        List<NamedImage> found = selection.scan();
        if (found.isEmpty()) {
            throw OperatorException.invalid("no images in %s; give a folder that contains some".formatted(folder));
        }
        return new BenchPhotos(
                found.subList(0, Math.min(found.size(), most)),
                selection.roots().stream().map(Path::toString).collect(Collectors.joining(",")));
    }
}
