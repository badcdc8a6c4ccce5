/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.TestCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people do with a cluster by hand. */
class ClusterCommandsIT {
    @TempDir
    Path directory;

    private Path configuration;

    @Test
    void shouldSubmitImagesFollowOutcomesAndListTopics() throws Exception {
        try (TestCluster cluster = TestCluster.start()) {
            configuration = Files.write(
                    directory.resolve("tagstream.properties"),
                    List.of(
                            "bootstrap.servers = " + cluster.bootstrapServers(),
                            "schema.registry.url = " + cluster.registryUrl(),
                            "state.dir = " + directory.resolve("state"),
                            "topics.partitions = 2",
                            "http.port = 0",
                            "console.enabled = true",
                            "fetch.file.roots = " + CommandProcess.SAMPLES.toAbsolutePath()));
            Run missing = command("topics");
            assertThat(missing.exitCode()).as(missing.errors()).isEqualTo(1);
            assertThat(missing.lines()).hasSize(8).allMatch(line -> line.contains("missing"));

            try (CommandProcess run = CommandProcess.start("run", "--config", configuration.toString())) {
                run.awaitNote("Images wait for the vocabulary");
                assertThat(command("labels", "add", "cat").exitCode()).isZero();

                String cat = CommandProcess.SAMPLES.resolve("cat.jpg").toString();
                Run submitted = command("submit", cat, "--id", "photo-1", "--attribute", "album=pets", "--wait");
                assertThat(submitted.exitCode()).as(submitted.errors()).isZero();
                assertThat(submitted.lines()).hasSize(1);
                assertThat(submitted.lines().get(0)).startsWith("photo-1  cat 0.");

                Run failed = command("submit", "file:///nowhere/x.jpg", "--wait", "60", "--json");
                assertThat(failed.exitCode()).as(failed.errors()).isZero();
                assertThat(failed.lines().get(0)).contains("\"reason\":\"FETCH_BLOCKED\"");

                Run tags = command("tail", "--from-beginning", "--limit", "1");
                assertThat(tags.lines()).as(tags.errors()).hasSize(1);
                assertThat(tags.lines().get(0)).startsWith("photo-1  cat 0.");
                Run failures = command("tail", "--failures", "--from-beginning", "--limit", "1");
                assertThat(failures.lines().get(0)).startsWith("file:///nowhere/x.jpg  failed, FETCH_BLOCKED");

                Run topics = command("topics");
                assertThat(topics.exitCode()).as(topics.errors()).isZero();
                assertThat(topics.lines()).anyMatch(line -> line.matches("images +fit +2 offsets; partitions 2"));
                assertThat(command("topics", "--json").lines().get(0))
                        .contains("\"topic\":\"images\"", "\"fit\":true", "\"wantedPartitions\":2");
                run.terminate();
                Run ended = run.awaitEnd();
                assertThat(ended.errors()).doesNotContain("ERROR", "Exception");
            }
            Run unattended = command("submit", "https://example.org/a.jpg", "--wait", "1");
            assertThat(unattended.exitCode()).isEqualTo(1);
            assertThat(unattended.errors()).contains("is Tagstream running?");
            Run wrong = command("submit", "no-such-file.jpg");
            assertThat(wrong.exitCode()).isEqualTo(2);
            assertThat(wrong.errors()).contains("no-such-file.jpg is neither a URI nor a file that is here");
        }
    }

    @Test
    void shouldSayWhatAModelIsAndWhetherItIsWhole() throws Exception {
        Run inspected = CommandProcess.run("model", "inspect");
        assertThat(inspected.exitCode()).as(inspected.errors()).isZero();
        assertThat(inspected.lines()).anyMatch(line -> line.matches("id +everyday"));
        Run verified = CommandProcess.run("model", "verify");
        assertThat(verified.exitCode()).as(verified.errors()).isZero();
        assertThat(verified.lines().get(0)).startsWith("everyday ").contains("all files are as described");

        Run none = CommandProcess.run("model", "verify", directory.toString());
        assertThat(none.exitCode()).isEqualTo(1);
        assertThat(none.errors()).contains(directory.toString(), "bundle.json");
    }

    @Test
    void shouldPrintAScriptThatCompletesCommands() throws Exception {
        Run printed = CommandProcess.run("completion");
        assertThat(printed.exitCode()).as(printed.errors()).isZero();
        Path script = Files.write(directory.resolve("completion"), printed.lines());
        Process bash = new ProcessBuilder(
                        "bash",
                        "-c",
                        "source " + script + "; COMP_WORDS=(tagstream su); COMP_CWORD=1; _complete_tagstream;"
                                + " echo \"${COMPREPLY[@]}\"")
                .redirectErrorStream(true)
                .start();
        assertThat(new String(bash.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("submit\n");
    }

    private Run command(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--config", configuration.toString()));
        return CommandProcess.run(all.toArray(String[]::new));
    }
}
