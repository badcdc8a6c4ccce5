/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.bundle.Bundle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceOptionsTest {
    @TempDir
    Path directory;

    @Test
    void shouldLimitTheMemoryOfADevice() {
        DeviceOptions options = new DeviceOptions(List.of(0), OptionalInt.of(4096), Optional.empty());

        assertThat(options.cuda())
                .isEqualTo(Map.of("gpu_mem_limit", "4294967296", "arena_extend_strategy", "kSameAsRequested"));
        assertThat(options.tensorRt(TinyBundle.load())).isEqualTo(Map.of("trt_max_workspace_size", "4294967296"));
        assertThat(DeviceOptions.DEFAULT.cuda()).isEmpty();
        assertThat(DeviceOptions.DEFAULT.tensorRt(TinyBundle.load())).isEmpty();
    }

    @Test
    void shouldKeepCompiledEnginesApartForEveryBundle() throws Exception {
        DeviceOptions options = new DeviceOptions(List.of(0), OptionalInt.empty(), Optional.of(directory));
        Bundle bundle = TinyBundle.load();
        Bundle another = Bundle.load("classpath:io/tagstream/bundles/clip");

        Map<String, String> tensorRt = options.tensorRt(bundle);

        Path folder = Path.of(tensorRt.get("trt_engine_cache_path"));
        assertThat(folder).isEmptyDirectory().startsWith(directory);
        assertThat(folder.getFileName()).hasToString(bundle.graphFingerprint());
        assertThat(tensorRt)
                .isEqualTo(Map.of(
                        "trt_engine_cache_enable",
                        "1",
                        "trt_engine_cache_path",
                        folder.toString(),
                        "trt_timing_cache_enable",
                        "1",
                        "trt_timing_cache_path",
                        folder.toString()));
        assertThat(options.tensorRt(another).get("trt_engine_cache_path")).isNotEqualTo(folder.toString());
    }

    @Test
    void shouldRefuseDevicesThatAreNone() {
        assertThatThrownBy(() -> OnnxModelRuntime.builder(TinyBundle.load())
                        .executionProvider(ExecutionProvider.CUDA)
                        .devices(List.of(0, 0))
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[0, 0]");
        assertThatThrownBy(() -> OnnxModelRuntime.builder(TinyBundle.load())
                        .devices(List.of(0, 1))
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the execution provider cpu is one device, not [0, 1]");
    }

    @Test
    void shouldNameItsDevice() {
        try (OnnxModelRuntime runtime =
                OnnxModelRuntime.builder(TinyBundle.load()).build()) {
            assertThat(runtime.devices())
                    .singleElement()
                    .satisfies(device -> assertThat(device.name()).isEqualTo("cpu"));
        }
    }
}
