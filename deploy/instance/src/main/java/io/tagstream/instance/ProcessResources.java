/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.instance;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.topology.config.TagstreamConfig;
import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * What this process may use of its machine or container, and what Java and the configuration make of it. Says so in one
 * line for the log.
 */
final class ProcessResources {
    private static final long MIB = 1 << 20;

    private ProcessResources() {}

    static String of(TagstreamConfig config) {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        HotSpotDiagnosticMXBean virtualMachine = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        int cores = Runtime.getRuntime().availableProcessors();
        long heap = Runtime.getRuntime().maxMemory();
        long direct =
                Long.parseLong(virtualMachine.getVMOption("MaxDirectMemorySize").getValue());
        return ("%d cores, %d MiB of memory: heap up to %d MiB and direct buffers up to %d MiB (%s collector), %d model"
                        + " threads, %d images decoded at a time, which may take up to %d MiB")
                .formatted(
                        cores,
                        system.getTotalMemorySize() / MIB,
                        heap / MIB,
                        (direct == 0 ? heap : direct) / MIB,
                        collector(virtualMachine),
                        config.optionalInt(InferenceKeys.MODEL_THREADS).orElse(cores),
                        config.optionalInt(InferenceKeys.DECODE_THREADS).orElse(cores),
                        config.getLong(InferenceKeys.DECODE_MAX_PIXELS) * PixelBudget.BYTES_PER_PIXEL / MIB);
    }

    private static String collector(HotSpotDiagnosticMXBean virtualMachine) {
        return List.of("Serial", "Parallel", "G1", "Z").stream()
                .filter(name -> Boolean.parseBoolean(
                        virtualMachine.getVMOption("Use" + name + "GC").getValue()))
                .findFirst()
                .orElse("another");
    }
}
