/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import io.tagstream.model.OtherHome;
import io.tagstream.model.Telemetry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** However Tagstream starts, ONNX Runtime sends no telemetry to its vendor, or users are told that it does. */
@DisabledOnOs(OS.WINDOWS)
@InRun
class TelemetryIT {
    @TempDir
    Path directory;

    private Path home;
    private Path work;

    @BeforeEach
    void makeDirectories() throws IOException {
        home = Files.createDirectory(directory.resolve("home"));
        work = Files.createDirectory(directory.resolve("work"));
    }

    @Test
    void shouldLeaveNothingOfOnnxRuntimeInTheHomeOfWhoTagsImages() throws Exception {
        Run run = run(launcher(
                "local",
                CommandProcess.SAMPLES.resolve("cat.jpg").toAbsolutePath().toString(),
                "--once"));

        assertThat(run.lines()).as(run.errors()).hasSize(1);
        assertThat(run.errors()).doesNotContainIgnoringCase("telemetry");
        assertThat(OtherHome.leftByOnnxRuntime(home)).isEmpty();
        assertThat(work).isEmptyDirectory();
    }

    /** If ONNX Runtime cannot write to the home directory, it complains and leaves a file in the working directory. */
    @Test
    void shouldNotMissAHomeThatTakesNoFiles() throws Exception {
        home = Files.createFile(directory.resolve("no directory"));

        Run run = run(launcher("model", "verify"));

        assertThat(run.lines()).as(run.errors()).hasSize(1);
        assertThat(run.errors()).doesNotContainIgnoringCase("telemetry");
        assertThat(work).isEmptyDirectory();
    }

    @Test
    void shouldLeaveNothingOfOnnxRuntimeInTheHomeOfTests() throws Exception {
        Run run = run(CommandProcess.builder("model", "verify"));

        assertThat(run.lines()).as(run.errors()).hasSize(1);
        assertThat(run.errors()).doesNotContain(Telemetry.VARIABLE);
        assertThat(OtherHome.leftByOnnxRuntime(home)).isEmpty();
    }

    @Test
    void shouldWarnWhoStartsJavaWithoutTheVariable() throws Exception {
        ProcessBuilder builder = CommandProcess.builder("model", "verify");
        builder.environment().remove(Telemetry.VARIABLE);
        // keeps ONNX Runtime from sending telemetry from this test
        builder.environment().put("CI", "true");

        Run run;
        try (CommandProcess command = CommandProcess.start(builder)) {
            run = command.awaitEnd();
        }

        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors().lines().filter(line -> line.contains(Telemetry.VARIABLE)))
                .singleElement()
                .asString()
                .contains("WARN", "not set");
    }

    @Test
    void shouldStartTheLaboratoryWithTheVariable() throws Exception {
        // a fake Java that prints the variable it receives
        Path java = directory.resolve("jdk/bin/java");
        Files.createDirectories(java.getParent());
        Files.writeString(java, "#!/bin/sh\necho \"$%s\"\n".formatted(Telemetry.VARIABLE));
        assertThat(java.toFile().setExecutable(true)).isTrue();
        // a copy outside the source tree; inside it, the laboratory would rebuild sources that have changed since
        Path deploy = directory.resolve("tagstream/deploy");
        Files.createDirectories(deploy.resolve("it/target/test-classes"));
        Files.createFile(deploy.resolve("it/target/classpath"));
        Files.createFile(directory.resolve("tagstream/pom.xml"));
        for (String name : List.of("laboratory", "build-record")) {
            Files.copy(Path.of("..", name), deploy.resolve(name), StandardCopyOption.COPY_ATTRIBUTES);
        }
        run(new ProcessBuilder(deploy.resolve("build-record").toString(), "write", "tests"));
        ProcessBuilder builder = new ProcessBuilder(deploy.resolve("laboratory").toString());
        builder.environment().put("JAVA_HOME", directory.resolve("jdk").toString());
        builder.environment().remove(Telemetry.VARIABLE);

        try (CommandProcess command = CommandProcess.start(builder)) {
            assertThat(command.awaitEnd().lines()).containsExactly("1");
        }
    }

    private static ProcessBuilder launcher(String... arguments) {
        List<String> command = new ArrayList<>(
                List.of(Path.of("..", "tagstream").toAbsolutePath().normalize().toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().remove(Telemetry.VARIABLE);
        return builder;
    }

    private Run run(ProcessBuilder builder) throws IOException, InterruptedException {
        OtherHome.use(home, builder.environment());
        try (CommandProcess command = CommandProcess.start(builder.directory(work.toFile()))) {
            return command.awaitEnd();
        }
    }
}
