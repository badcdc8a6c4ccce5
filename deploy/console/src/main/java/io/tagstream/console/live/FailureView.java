/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The images that could not be tagged and have not recovered since; only the newest are kept.
 *
 * <p><i>Threading notes.</i> Thread-safe; guarded by its own monitor.
 */
public final class FailureView {
    private static final int MOST = 10_000;

    private final Map<String, CurrentFailure> failures = new LinkedHashMap<>();

    /** Records that an image could not be tagged. */
    public synchronized void failed(CurrentFailure failure) {
        failures.remove(failure.imageId());
        failures.put(failure.imageId(), failure);
        if (failures.size() > MOST) {
            failures.remove(failures.keySet().iterator().next());
        }
    }

    /** Records that an image was tagged or deleted at a time; clears a failure that is not later than that. */
    public synchronized void mended(String imageId, Instant when) {
        CurrentFailure failure = failures.get(imageId);
        if (failure != null && !failure.failedAt().isAfter(when)) {
            failures.remove(imageId);
        }
    }

    /** The failures, newest first. */
    public synchronized List<CurrentFailure> newest() {
        List<CurrentFailure> newest = new ArrayList<>(failures.values());
        Collections.reverse(newest);
        return newest;
    }

    /** How many failures there are, by reason. */
    public synchronized Map<String, Long> byReason() {
        Map<String, Long> counts = new TreeMap<>();
        failures.values().forEach(failure -> counts.merge(failure.reason(), 1L, Long::sum));
        return counts;
    }
}
