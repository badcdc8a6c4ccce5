/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TelemetryTest {
    private static final String WORKING_DIRECTORY = "work";

    @TempDir
    Path folder;

    @Test
    void shouldNameTheVariableThatOnnxRuntimeReads() throws Exception {
        Path jar = Path.of(OrtEnvironment.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (JarFile file = new JarFile(jar.toFile())) {
            List<JarEntry> libraries = file.stream()
                    .filter(entry -> entry.getName().matches(".*/libonnxruntime\\.(so|dylib)"))
                    .filter(entry -> !entry.getName().contains(".dSYM/"))
                    .toList();
            assertThat(libraries).extracting(JarEntry::getName).anyMatch(name -> name.contains("/linux-x64/"));
            for (JarEntry library : libraries) {
                // with the zero bytes that end strings in C, a longer name does not match
                String code = new String(file.getInputStream(library).readAllBytes(), StandardCharsets.ISO_8859_1);
                assertThat(code.contains("\0" + Telemetry.VARIABLE + "\0"))
                        .as("%s in %s of %s", Telemetry.VARIABLE, library.getName(), jar.getFileName())
                        .isTrue();
            }
        }
    }

    @Test
    void shouldLeaveNothingInTheHomeOfWhoScoresImages() throws Exception {
        Path home = Files.createDirectory(folder.resolve("home"));

        assertThat(errorsOfScoring(home)).doesNotContainIgnoringCase("telemetry");

        assertThat(OtherHome.leftByOnnxRuntime(home)).isEmpty();
    }

    /** If ONNX Runtime cannot keep files at home, it complains, and leaves a file where it runs. */
    @Test
    void shouldNotMissAHomeThatTakesNoFiles() throws Exception {
        Path home = Files.createFile(folder.resolve("no directory"));

        assertThat(errorsOfScoring(home)).doesNotContainIgnoringCase("telemetry");

        assertThat(folder.resolve(WORKING_DIRECTORY)).isEmptyDirectory();
    }

    private String errorsOfScoring(Path home) throws IOException, InterruptedException {
        Path output = folder.resolve("output");
        Path errors = folder.resolve("errors");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ScoringMain.class.getName())
                .directory(
                        Files.createDirectory(folder.resolve(WORKING_DIRECTORY)).toFile())
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        OtherHome.use(home, builder.environment());
        Process process = builder.start();
        try {
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
        assertThat(output).content().contains(ScoringMain.DONE);
        return Files.readString(errors);
    }

    @Test
    void shouldWarnWhereTheVariableIsMissing() {
        assertThat(Telemetry.warning(Map.of("PATH", "/bin"), "Linux"))
                .hasValueSatisfying(warning -> assertThat(warning).contains(Telemetry.VARIABLE, "not set"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "2", "false"})
    void shouldWarnOfAValueThatStopsNothing(String value) {
        assertThat(Telemetry.warning(Map.of(Telemetry.VARIABLE, value), "Mac OS X"))
                .hasValueSatisfying(warning -> assertThat(warning).contains("\"" + value + "\"", "Set it to 1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "TRUE", "yes", " 1"})
    void shouldNotWarnOfAValueThatStopsReports(String value) {
        assertThat(Telemetry.warning(Map.of(Telemetry.VARIABLE, value), "Linux"))
                .isEmpty();
    }

    @Test
    void shouldNotAskForAVariableThatDoesNothing() {
        assertThat(Telemetry.warning(Map.of(), "Windows 11")).isEmpty();
    }
}
