/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** {@code tagstream} as its users run it: in a separate process, with the real model. */
public final class CommandProcess implements AutoCloseable {
    /** The sample photos, as tests of this module see them. */
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();

    public static final Path SAMPLES = HOME.resolve("samples");

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final Path output;
    private final Path errors;

    private CommandProcess(Process process, Path output, Path errors) {
        this.process = process;
        this.output = output;
        this.errors = errors;
    }

    /** The result of a run: its exit code, the lines of standard output, and standard error. */
    public record Run(int exitCode, List<String> lines, String errors) {
        /** The lines as JSON by image ID; each ID must occur once. */
        public Map<String, JsonNode> byImageId() {
            Map<String, JsonNode> byId = new LinkedHashMap<>();
            for (String line : lines) {
                try {
                    JsonNode outcome = JSON.readTree(line);
                    String id = outcome.path("imageId").asText();
                    assertThat(byId.put(id, outcome))
                            .as("a second line for %s", id)
                            .isNull();
                } catch (JsonProcessingException e) {
                    fail("not JSON: " + line, e);
                }
            }
            return byId;
        }
    }

    /** Runs a command to its end. */
    public static Run run(String... arguments) throws IOException, InterruptedException {
        try (CommandProcess command = start(arguments)) {
            return command.awaitEnd();
        }
    }

    /** Starts a command; the caller closes it. */
    public static CommandProcess start(String... arguments) throws IOException {
        return start(builder(arguments));
    }

    /** Starts a command as an argument of another program, which then runs it in its place; the caller closes it. */
    static CommandProcess startUnder(List<String> program, String... arguments) throws IOException {
        ProcessBuilder builder = builder(arguments);
        builder.command().addAll(0, program);
        return start(builder);
    }

    /** Starts a command, which the caller may have changed; the caller closes it. */
    static CommandProcess start(ProcessBuilder builder) throws IOException {
        Path output = Files.createTempFile("tagstream", ".out");
        Path errors = Files.createTempFile("tagstream", ".err");
        Process process = builder.redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        return new CommandProcess(process, output, errors);
    }

    /** Builds a command without starting it. */
    static ProcessBuilder builder(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", // as the launcher does for most commands
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "-Dlogback.configurationFile=logback.xml", // not the tests' own
                "-Dtagstream.home=" + HOME,
                "io.tagstream.cli.Main"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    /** Waits until standard output has a line that begins with this. */
    public void awaitLine(String beginning) {
        await(
                "a line that begins with " + beginning,
                () -> output().stream().anyMatch(line -> line.startsWith(beginning)));
    }

    /** Waits until standard error has this text. */
    public void awaitNote(String text) {
        await("a note with " + text, () -> errors().contains(text));
    }

    private void await(String what, BooleanSupplier condition) {
        try {
            Awaitility.await(what).atMost(PATIENCE).until(() -> condition.getAsBoolean() || !process.isAlive());
        } catch (ConditionTimeoutException e) {
            fail("%s: not so far%n%s%n%s".formatted(what, output(), errors()), e);
        }
        assertThat(condition.getAsBoolean())
                .as("%s: the process ended without it%n%s%n%s", what, output(), errors())
                .isTrue();
    }

    /** Asks the process to end, as Ctrl-C and {@code kill} do. */
    public void terminate() {
        process.destroy();
    }

    /** Waits for the process to end. */
    public Run awaitEnd() throws InterruptedException {
        if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
            fail("still running after %s; output so far:%n%s%n%s".formatted(PATIENCE, output(), errors()));
        }
        return new Run(process.exitValue(), output(), errors());
    }

    private List<String> output() {
        return read(output).lines().toList();
    }

    /** Standard error so far. */
    public String errors() {
        return read(errors);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A path as the process sees it, which may have mounts of its own. */
    Path seen(Path path) {
        return Path.of("/proc", Long.toString(process.pid()), "root")
                .resolve(Path.of("/").relativize(path));
    }

    /** Ends the process and those that it has started, whatever state they are in. */
    @Override
    public void close() throws IOException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        process.onExit().join();
        Files.delete(output);
        Files.delete(errors);
    }
}
