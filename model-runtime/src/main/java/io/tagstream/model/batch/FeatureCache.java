/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.batch;

import io.tagstream.model.KnownImage;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The most recently scored images, by the checksum of their bytes: the same photo under another id is not encoded
 * again.
 *
 * <p><i>Threading notes.</i> Thread-safe.
 */
final class FeatureCache {
    private final int most;
    private final Map<String, KnownImage> images = new LinkedHashMap<>(16, 0.75f, true);

    /** @param most how many images to keep; the least recently used one is dropped first */
    FeatureCache(int most) {
        this.most = most;
    }

    synchronized Optional<KnownImage> get(String sha256) {
        return Optional.ofNullable(images.get(sha256));
    }

    synchronized void put(KnownImage image) {
        images.put(image.sha256(), image);
        if (images.size() > most) {
            images.remove(images.keySet().iterator().next());
        }
    }
}
