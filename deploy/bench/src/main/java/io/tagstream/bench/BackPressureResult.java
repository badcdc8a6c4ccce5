/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * What {@link BackPressureBenchmark} has measured of an instance.
 *
 * @param waiting references that waited
 * @param heapPeakMib the most of its heap that was in use, garbage included
 * @param heapLiveMib what was in use after a collection at the end, while references still waited
 * @param directPeakMib the most direct memory
 * @param residentPeakMib the most of it that was resident, native memory included; empty where the system does not tell
 * @param pendingPeak the most images that it owed
 * @param outcomes outcomes of the waiting references meanwhile
 * @param others how long images of another partition took, from reference to committed outcome
 * @param othersDone how many of them had their outcome
 * @param memberKept whether it was the same member of its group all the time
 * @param rebalances rebalances that its consumer counts; empty if it does not tell yet
 * @param aborts nanoseconds that its producer spent on aborting transactions; empty if it does not tell yet
 */
public record BackPressureResult(
        int waiting,
        double heapPeakMib,
        double heapLiveMib,
        double directPeakMib,
        OptionalDouble residentPeakMib,
        long pendingPeak,
        long outcomes,
        StageTime others,
        long othersDone,
        boolean memberKept,
        OptionalDouble rebalances,
        OptionalDouble aborts) {
    /** A JSON object. */
    public ObjectNode json() {
        ObjectNode json = new ObjectMapper()
                .createObjectNode()
                .put("waiting", waiting)
                .put("heapPeakMiB", rounded(heapPeakMib))
                .put("heapLiveMiB", rounded(heapLiveMib))
                .put("directPeakMiB", rounded(directPeakMib))
                .put("pendingPeak", pendingPeak)
                .put("outcomes", outcomes)
                .put("othersDone", othersDone)
                .put("othersP50Millis", rounded(others.p50Millis()))
                .put("othersP99Millis", rounded(others.p99Millis()))
                .put("memberKept", memberKept);
        put(json, "rssPeakMiB", residentPeakMib);
        put(json, "rebalances", rebalances);
        put(json, "abortNanos", aborts);
        return json;
    }

    private static void put(ObjectNode json, String name, OptionalDouble value) {
        if (value.isPresent()) {
            json.put(name, rounded(value.getAsDouble()));
        } else {
            json.putNull(name);
        }
    }

    /** Some lines for people. */
    public String text() {
        return String.format(
                Locale.ROOT,
                "%,d waiting: heap %.0f MiB at most, %.0f MiB of it live; direct %.1f MiB; resident %s MiB%n"
                        + "    %,d images pending at most, %,d outcomes meanwhile; group member %s%n"
                        + "    %d images of another partition: p50 %.0f ms, p99 %.0f ms",
                waiting,
                heapPeakMib,
                heapLiveMib,
                directPeakMib,
                residentPeakMib.isPresent() ? String.valueOf(Math.round(residentPeakMib.getAsDouble())) : "?",
                pendingPeak,
                outcomes,
                memberKept ? "kept" : "lost",
                othersDone,
                others.p50Millis(),
                others.p99Millis());
    }

    private static double rounded(double value) {
        return Math.round(value * 10) / 10.0;
    }
}
