/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that need neither a cluster nor a process of their own. */
class CommandsTest {
    private final PrintStream outputBefore = System.out;
    private final PrintStream errorsBefore = System.err;
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    @TempDir
    Path directory;

    @BeforeEach
    void listen() {
        System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() {
        System.setOut(outputBefore);
        System.setErr(errorsBefore);
    }

    @Test
    void shouldVerifyTheModelThatComesWithTagstream() {
        assertThat(Main.run("model", "verify"))
                .as(errors.toString(StandardCharsets.UTF_8))
                .isZero();
        assertThat(output.toString(StandardCharsets.UTF_8))
                .startsWith("everyday ")
                .contains("all files match their checksums");
    }

    @Test
    void shouldSayWhatIsNoModel() {
        assertThat(Main.run("model", "inspect", directory.toString())).isEqualTo(1);
        assertThat(errors.toString(StandardCharsets.UTF_8)).contains(directory.toString(), "bundle.json");
        assertThat(Main.run("model", "verify", "--execution-provider", "abacus"))
                .isEqualTo(2);
        assertThat(errors.toString(StandardCharsets.UTF_8)).contains("--execution-provider abacus");
    }

    @Test
    void shouldPrintAScriptThatCompletesCommands() throws Exception {
        assertThat(Main.run("completion")).isZero();
        Path script = Files.write(directory.resolve("completion"), output.toByteArray());
        Process bash = new ProcessBuilder(
                        "bash",
                        "-c",
                        "source " + script + "; COMP_WORDS=(tagstream su); COMP_CWORD=1; _complete_tagstream;"
                                + " echo \"${COMPREPLY[@]}\"")
                .redirectErrorStream(true)
                .start();
        assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("submit\n");
    }

    @Test
    void shouldSayWhatCannotBeSubmitted() {
        assertUsage("neither a URI nor an existing file", "submit", "no-such-file.jpg");
        assertUsage("--id x: an id is for one image, but 2 are given", "submit", "file:///a", "file:///b", "--id", "x");
        assertUsage("'x.jpg' is not a number of seconds; put --wait after the images", "submit", "--wait", "x.jpg");
        assertUsage("--wait 0", "submit", "file:///a", "--wait", "0");
        assertUsage("--fail-on-failure: needs --wait", "submit", "file:///a", "--fail-on-failure");
        assertUsage(directory + " is a folder", "submit", directory.toString());
        assertUsage("--limit 0", "tail", "--limit", "0");
    }

    @Test
    void shouldSayWhatCannotBePutInForce() {
        assertUsage("give either a BUNDLE or --back", "model", "use");
        assertUsage("give either a BUNDLE or --back", "model", "use", "somewhere", "--back");
        assertUsage("give --min-score, --top-k or --scores-floor", "policy", "set");
        assertUsage("--min-score high: must be a score in [0, 1]", "policy", "set", "--min-score", "high");
        assertUsage("--top-k 0: must be a number of at least 1", "policy", "set", "--top-k", "0");
    }

    @Test
    void shouldNameAMisspeltKeyRatherThanTheOneThatIsMissingForIt() {
        assertUsage(
                "Unknown configuration key bootstrap.server; did you mean bootstrap.servers?",
                "topics",
                "--set",
                "bootstrap.server=127.0.0.1:9");
    }

    private void assertUsage(String message, String... arguments) {
        assertThat(Main.run(arguments)).isEqualTo(2);
        assertThat(errors.toString(StandardCharsets.UTF_8)).contains(message);
    }
}
