/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleFaultsTest {
    @TempDir
    Path folder;

    @BeforeEach
    void copyBundle() throws Exception {
        Path source = Path.of(
                getClass().getResource("/io/tagstream/bundles/tiny/bundle.json").toURI());
        try (var files = Files.list(source.getParent())) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
    }

    @Test
    void shouldNameAMissingFile() throws Exception {
        Files.delete(folder.resolve("decoder.onnx"));
        assertThatThrownBy(() -> Bundle.load(folder))
                .isInstanceOf(BundleException.class)
                .hasMessageContainingAll(folder.toString(), "decoder.onnx", "found none");
    }

    @Test
    void shouldNameADamagedFile() throws Exception {
        Path file = folder.resolve("image_encoder.onnx");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> Bundle.load(folder))
                .isInstanceOf(BundleException.class)
                .hasMessageContainingAll("image_encoder.onnx", "expected SHA-256", "damaged");
    }

    @Test
    void shouldNameAnUnknownField() throws Exception {
        change("\"generation\"", "\"colour\": 1, \"generation\"");
        assertThatThrownBy(() -> Bundle.load(folder))
                .isInstanceOf(BundleException.class)
                .hasMessageContaining("unknown field \"colour\"");
    }

    @Test
    void shouldNameTheLabelThatFailsTheSelfTest() throws Exception {
        Bundle bundle = Bundle.load(folder);
        List<Double> row = bundle.description().selfTest().scores().get(0);
        change(row.get(0).toString(), row.get(0) > 0.5 ? "0.01" : "0.99");
        assertThatThrownBy(() -> OnnxModelRuntime.builder(Bundle.load(folder)).build())
                .isInstanceOf(BundleException.class)
                .hasMessageContainingAll("self-test image 0", "do not compute");
    }

    @Test
    void shouldSayWhatCudaLacks() {
        assertThatThrownBy(() -> OnnxModelRuntime.builder(Bundle.load(folder))
                        .executionProvider(ExecutionProvider.CUDA)
                        .build())
                .isInstanceOf(ExecutionProviderException.class)
                .hasMessageContainingAll("cuda", "onnxruntime_gpu");
    }

    private void change(String from, String to) throws Exception {
        Path file = folder.resolve("bundle.json");
        String json = Files.readString(file);
        assertThat(json).contains(from);
        Files.writeString(file, json.replace(from, to));
    }
}
