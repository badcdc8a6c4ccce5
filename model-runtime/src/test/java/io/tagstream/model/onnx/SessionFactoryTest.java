/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SessionFactoryTest {
    private static final String LOADING =
            "Error code - ORT_FAIL - message: Failed to load library libonnxruntime_providers_cuda.so with error: ";

    @ParameterizedTest
    @CsvSource({
        "libcublasLt.so.12, the library libcublasLt.so.12 is missing: install CUDA 12",
        "libcudnn.so.9, the library libcudnn.so.9 is missing: install cuDNN 9",
        "libcuda.so.1, 'no NVIDIA driver is visible (libcuda.so.1 is missing): install one, and start a container with --gpus all'"
    })
    void shouldSayWhatIsMissing(String library, String remedy) {
        assertThat(SessionFactory.remedy(
                        LOADING + library + ": cannot open shared object file: No such file or directory"))
                .startsWith(remedy);
    }
}
