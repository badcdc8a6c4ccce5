/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtEnvironment;
import io.tagstream.model.bundle.Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Which GPUs to use, and how.
 *
 * @param devices their numbers, as {@code nvidia-smi -L} lists them; each at most once
 * @param memoryMib the most memory that each graph may take on a device
 * @param cache where TensorRT keeps what it has compiled
 */
record DeviceOptions(List<Integer> devices, OptionalInt memoryMib, Optional<Path> cache) {
    static final DeviceOptions DEFAULT = new DeviceOptions(List.of(0), OptionalInt.empty(), Optional.empty());

    private static final long BYTES_PER_MIB = 1L << 20;

    DeviceOptions {
        devices = List.copyOf(devices);
        if (devices.isEmpty()
                || new HashSet<>(devices).size() < devices.size()
                || devices.stream().anyMatch(device -> device < 0)) {
            throw new IllegalArgumentException("devices must be different numbers of GPUs, not " + devices);
        }
    }

    /** The options of ONNX Runtime's CUDA provider. */
    Map<String, String> cuda() {
        Map<String, String> options = new TreeMap<>();
        memoryMib.ifPresent(most -> {
            options.put("gpu_mem_limit", String.valueOf(most * BYTES_PER_MIB));
            // the next power of two could be beyond the limit
            options.put("arena_extend_strategy", "kSameAsRequested");
        });
        return options;
    }

    /**
     * The options of ONNX Runtime's TensorRT provider. Compiled engines are kept under the checksum of the bundle's
     * graphs; TensorRT itself tells by their names whether they are of this GPU and version.
     */
    Map<String, String> tensorRt(Bundle bundle) {
        Map<String, String> options = new TreeMap<>();
        memoryMib.ifPresent(most -> options.put("trt_max_workspace_size", String.valueOf(most * BYTES_PER_MIB)));
        cache.ifPresent(folder -> {
            Path of = folder.resolve("tensorrt")
                    .resolve("onnxruntime-" + OrtEnvironment.getEnvironment().getVersion())
                    .resolve(bundle.graphFingerprint());
            try {
                Files.createDirectories(of);
            } catch (IOException e) {
                throw new ExecutionProviderException(
                        "execution provider tensorrt: the directory %s for compiled engines cannot be made: %s"
                                .formatted(of, e),
                        e);
            }
            options.put("trt_engine_cache_enable", "1");
            options.put("trt_engine_cache_path", of.toString());
            options.put("trt_timing_cache_enable", "1");
            options.put("trt_timing_cache_path", of.toString());
        });
        return options;
    }
}
