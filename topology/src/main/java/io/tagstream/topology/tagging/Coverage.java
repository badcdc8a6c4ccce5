/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Which vocabulary epoch the images of a task have followed, by ranges of their ids: a sweep in progress has left some
 * ranges at a newer epoch than others, and a vocabulary that changes during the sweep adds more ranges. A sweep
 * continues from where it was and wraps around, so that no range waits for ever.
 *
 * <p>Immutable. Ids are ordered by their UTF-8 bytes, as in the stores.
 */
final class Coverage {
    /** With more ranges than this, neighbours are merged at the older of their epochs, which is always correct. */
    static final int MOST_RANGES = 32;

    /** The order of ids. */
    static final Comparator<String> ID_ORDER =
            (a, b) -> Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

    /**
     * The ids after the previous range and up to {@code upTo}; null for all remaining ids.
     *
     * @param epoch the epoch that they have followed, at least
     */
    record Range(String upTo, long epoch) {}

    private final List<Range> ranges;

    private Coverage(List<Range> ranges) {
        this.ranges = List.copyOf(ranges);
    }

    /** All ids at the same epoch. */
    static Coverage all(long epoch) {
        return new Coverage(List.of(new Range(null, epoch)));
    }

    /**
     * The coverage whose ranges {@link #ranges} returned.
     *
     * @throws IllegalArgumentException if the ranges are not in order or do not reach the end
     */
    static Coverage of(List<Range> ranges) {
        for (int i = 0; i < ranges.size(); i++) {
            boolean last = i == ranges.size() - 1;
            String upTo = ranges.get(i).upTo();
            boolean ordered = last
                    ? upTo == null
                    : upTo != null
                            && (i == 0 || ID_ORDER.compare(ranges.get(i - 1).upTo(), upTo) < 0);
            if (!ordered) {
                throw new IllegalArgumentException("Ranges " + ranges + " are not in order or do not reach the end");
            }
        }
        if (ranges.isEmpty()) {
            throw new IllegalArgumentException("There are no ranges");
        }
        return new Coverage(ranges);
    }

    List<Range> ranges() {
        return ranges;
    }

    /** The epoch that an image has followed, at least. */
    long epoch(String id) {
        for (Range range : ranges) {
            if (range.upTo() == null || ID_ORDER.compare(id, range.upTo()) <= 0) {
                return range.epoch();
            }
        }
        throw new AssertionError("the last range has no end");
    }

    /** Whether all ids are at an epoch. */
    boolean isAll(long epoch) {
        return ranges.stream().allMatch(range -> range.epoch() == epoch);
    }

    /**
     * The same, with one range at another epoch.
     *
     * @param after the id before the range; null to start at the beginning
     * @param upTo the range's last id; null to go to the end
     */
    Coverage with(String after, String upTo, long epoch) {
        List<Range> changed = new ArrayList<>();
        for (Range range : ranges) { // the part before
            if (after == null) {
                break;
            }
            boolean reaches = range.upTo() == null || ID_ORDER.compare(range.upTo(), after) >= 0;
            changed.add(reaches ? new Range(after, range.epoch()) : range);
            if (reaches) {
                break;
            }
        }
        changed.add(new Range(upTo, epoch));
        if (upTo != null) { // the part after
            for (Range range : ranges) {
                if (range.upTo() == null || ID_ORDER.compare(range.upTo(), upTo) > 0) {
                    changed.add(range);
                }
            }
        }
        return new Coverage(bounded(merged(changed)));
    }

    /** Merges neighbours at the same epoch into one range. */
    private static List<Range> merged(List<Range> ranges) {
        List<Range> merged = new ArrayList<>();
        for (Range range : ranges) {
            int last = merged.size() - 1;
            if (last >= 0 && merged.get(last).epoch() == range.epoch()) {
                merged.set(last, range);
            } else {
                merged.add(range);
            }
        }
        return merged;
    }

    private static List<Range> bounded(List<Range> ranges) {
        List<Range> bounded = new ArrayList<>(ranges);
        while (bounded.size() > MOST_RANGES) {
            Range last = bounded.remove(bounded.size() - 1);
            Range before = bounded.remove(bounded.size() - 1);
            bounded.add(new Range(last.upTo(), Math.min(last.epoch(), before.epoch())));
        }
        return merged(bounded);
    }

    @Override
    public String toString() {
        return ranges.toString();
    }
}
