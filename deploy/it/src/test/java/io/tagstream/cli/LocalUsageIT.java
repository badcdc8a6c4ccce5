/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The message and exit code of {@code tagstream local} when it cannot do what it is asked to. */
@InRun
class LocalUsageIT {
    private static final int FAILED = 1;
    private static final int USAGE = 2;
    private static final Path BUNDLE =
            Path.of("..", "..", "model-runtime", "src", "main", "resources", "io", "tagstream", "bundles", "everyday");
    private static final String PHOTO =
            CommandProcess.SAMPLES.resolve("cat.jpg").toString();

    @TempDir
    Path directory;

    private String vocabulary;

    @BeforeEach
    void writeVocabulary() throws IOException {
        vocabulary = Files.writeString(directory.resolve("labels.csv"), "id,name\ncat,cat\ndog,dog\n")
                .toString();
    }

    @Test
    void shouldRefuseToRunWithoutImages() throws Exception {
        Path empty = Files.createDirectory(directory.resolve("empty"));
        Path texts = Files.createDirectory(directory.resolve("texts"));
        Files.writeString(texts.resolve("notes.txt"), "no image");
        Files.writeString(texts.resolve("list.csv"), "no image");

        assertEnds(
                USAGE,
                CommandProcess.run("local", "nowhere/at/all.jpg", "--once"),
                "nowhere/at/all.jpg does not exist",
                "give an image, a folder of images, or a URL");
        assertEnds(
                USAGE,
                CommandProcess.run("local", empty.toString(), "--once"),
                "no images in " + empty,
                "no files there",
                "give images, or a folder that contains some");
        assertEnds(
                USAGE,
                CommandProcess.run("local", texts.toString(), "--once"),
                "no images in " + texts,
                "2 files (csv 1, txt 1) there, none with an image extension",
                "jpg, png");
    }

    @Test
    void shouldRefuseWrongOptions() throws Exception {
        Path full = Files.createDirectory(directory.resolve("full"));
        Files.writeString(full.resolve("thesis.txt"), "precious");

        assertEnds(USAGE, CommandProcess.run("local", PHOTO, "--once", "--top-k", "0"), "--top-k 0", "at least 1");
        assertEnds(
                USAGE,
                CommandProcess.run("local", PHOTO, "--once", "--min-score", "2"),
                "--min-score 2",
                "from 0 to 1");
        assertEnds(
                USAGE,
                CommandProcess.run("local", PHOTO, "--once", "--set", "images.topics=x"),
                "images.topics",
                "--set");
        assertEnds(
                USAGE,
                CommandProcess.run("local", PHOTO, "--once", "--data-dir", full.toString()),
                "--data-dir " + full,
                "contains other files",
                "give an empty directory");
    }

    @Test
    void shouldRefuseAVocabularyThatIsNone() throws Exception {
        assertRefusedVocabulary("id,label\ncat,cat\n", "line 1", "column name is missing", "\"id,label\"");
        assertRefusedVocabulary("id,name\ncat,cat\ncat,tiger\n", "line 3", "\"cat\" is also on line 2", "its own id");
        assertRefusedVocabulary("id,name\ncat,\n", "line 2", "name of label \"cat\" is empty", "give it the text");
        assertEnds(
                USAGE,
                CommandProcess.run("local", PHOTO, "--once", "--vocabulary", "none.csv"),
                "vocabulary none.csv does not exist",
                "give the path");
    }

    private void assertRefusedVocabulary(String content, String... message) throws Exception {
        Path file = Files.writeString(directory.resolve("wrong.csv"), content);
        Run run = CommandProcess.run("local", PHOTO, "--once", "--vocabulary", file.toString());
        assertEnds(USAGE, run, message);
        assertThat(run.errors()).contains(file.toString());
    }

    @Test
    void shouldNameTheFileOfABundleThatIsDamaged() throws Exception {
        Path bundle = directory.resolve("bundle");
        FileUtils.copyDirectory(BUNDLE.toFile(), bundle.toFile());
        try (RandomAccessFile file =
                new RandomAccessFile(bundle.resolve("decoder.onnx").toFile(), "rw")) {
            file.seek(1_000);
            int value = file.read();
            file.seek(1_000);
            file.write(value ^ 1);
        }

        Run run = CommandProcess.run("local", PHOTO, "--once", "--set", "model.bundle=" + bundle);

        assertEnds(FAILED, run, bundle.toString(), "decoder.onnx", "restore the bundle, or name another");
        assertThat(run.errors()).containsPattern("expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}");
    }

    @Test
    void shouldNameABundleThatIsNotThere() throws Exception {
        Path bundle = directory.resolve("nowhere");

        Run run = CommandProcess.run("local", PHOTO, "--once", "--set", "model.bundle=" + bundle);

        assertEnds(FAILED, run, "bundle " + bundle, "bundle.json", "restore the bundle, or name another");
    }

    @Test
    void shouldNameAPortThatIsInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());

            Run run = CommandProcess.run("local", PHOTO, "--once", "--vocabulary", vocabulary, "--port", port);

            assertEnds(
                    FAILED,
                    run,
                    "Port " + port + " of 127.0.0.1",
                    "Kafka broker",
                    "is in use",
                    "stop the process that listens there, or choose another");
        }
    }

    /** One message, plus a pointer to the help after wrong usage; no stack trace, and nothing on standard output. */
    private static void assertEnds(int exitCode, Run run, String... message) {
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(exitCode);
        List<String> errors = run.errors().lines().toList();
        assertThat(errors.get(0)).startsWith("tagstream: ").contains(message);
        assertThat(errors.subList(1, errors.size()))
                .isEqualTo(exitCode == USAGE ? List.of("See 'tagstream local --help'") : List.of());
        assertThat(run.lines()).isEmpty();
    }
}
