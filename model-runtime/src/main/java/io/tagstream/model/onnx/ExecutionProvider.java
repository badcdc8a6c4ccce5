/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What runs the image graphs. Label texts are always encoded on the CPU, because every instance must get the same
 * vectors.
 */
public enum ExecutionProvider {
    /** The CPU. */
    CPU,
    /** An NVIDIA GPU; needs {@code onnxruntime_gpu}, CUDA 12 and cuDNN 9. */
    CUDA,
    /** An NVIDIA GPU through TensorRT; needs TensorRT and everything that {@link #CUDA} needs. */
    TENSORRT,
    /** {@link #CUDA} if it works, otherwise {@link #CPU}; the log says which. */
    AUTO;

    /**
     * The provider with a configured name, in upper or lower case.
     *
     * @throws IllegalArgumentException if there is no such provider
     */
    public static ExecutionProvider of(String name) {
        for (ExecutionProvider provider : values()) {
            if (provider.toString().equalsIgnoreCase(name.strip())) {
                return provider;
            }
        }
        throw new IllegalArgumentException("execution provider \"%s\" is unknown; choose one of %s"
                .formatted(name, Arrays.stream(values()).map(String::valueOf).collect(Collectors.joining(", "))));
    }

    /** The configured name, in lower case. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
