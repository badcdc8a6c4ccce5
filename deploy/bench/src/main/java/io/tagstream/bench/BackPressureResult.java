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
 * What {@link BackPressureBenchmark} measured for an instance.
 *
 * @param waiting references that waited
 * @param heapPeakMib peak use of its heap, garbage included, in MiB
 * @param heapLiveMib heap in use after a collection at the end, while references still waited, in MiB
 * @param directPeakMib peak direct memory, in MiB
 * @param residentPeakMib peak resident memory, native memory included, in MiB; empty if the system does not report it
 * @param pendingPeak peak number of images that awaited their outcome
 * @param outcomes outcomes of the waiting references during the measurement
 * @param others how long images of another partition took, from reference to committed outcome
 * @param othersDone how many of those images got their outcome
 * @param memberKept whether it stayed the same member of its group throughout
 * @param rebalances rebalances counted by its consumer; empty if not reported yet
 * @param aborts nanoseconds that its producer spent aborting transactions; empty if not reported yet
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

    /** Several lines for people. */
    public String text() {
        return String.format(
                Locale.ROOT,
                "%,d waiting: peak heap %.0f MiB, live heap %.0f MiB, peak direct %.1f MiB, peak resident %s MiB%n"
                        + "    at most %,d images pending, %,d outcomes meanwhile; group member %s%n"
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
