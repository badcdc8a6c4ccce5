/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.tagstream.it.InFull;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The container image for NVIDIA GPUs where there is no GPU: it starts without rights, and says what is missing. */
@InFull
class CudaImageIT {
    /** System property: the image to test. Without it, the tests are skipped. */
    private static final String IMAGE = "it.cuda.image";

    /** System property: the absolute path of NVIDIA's libraries of CUDA 12, which the base made for tests lacks. */
    private static final String LIBRARIES = "it.cuda.libraries";

    @BeforeEach
    void skipWithoutImage() {
        if (System.getProperty(IMAGE) == null || System.getProperty(LIBRARIES) == null) {
            abort("no container image for GPUs; build one with -Pimage,cuda and name it with -D%s, and CUDA with -D%s"
                    .formatted(IMAGE, LIBRARIES));
        }
    }

    @Test
    void shouldNameTheLibraryThatIsMissing() throws Exception {
        assertThat(verify(List.of(), "cuda", 1))
                .contains("execution provider cuda", "the library libcublasLt.so.12 is missing: install CUDA 12");
    }

    @Test
    void shouldSayThatTheContainerHasNoGpu() throws Exception {
        assertThat(verify(cuda(), "cuda", 1))
                .contains("execution provider cuda", "no NVIDIA driver is visible", "--gpus all");
    }

    @Test
    void shouldUseTheCpuWithAWarningIfItMayChoose() throws Exception {
        assertThat(verify(cuda(), "auto", 0))
                .contains("execution provider auto: using cpu", "no NVIDIA driver is visible", "+cpu.fp32");
    }

    private static List<String> cuda() {
        return List.of("-e", "LD_LIBRARY_PATH=/cuda", "-v", System.getProperty(LIBRARIES) + ":/cuda:ro");
    }

    /** Verifies the bundled model on a provider, and returns what was printed; fails with another exit code. */
    private static String verify(List<String> options, String provider, int exitCode)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"));
        command.addAll(options);
        command.addAll(List.of(System.getProperty(IMAGE), "model", "verify", "--execution-provider", provider));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isEqualTo(exitCode);
        return output;
    }
}
