/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the scripts of {@code deploy} in a small tree, with a fake Maven that packages sources unchanged and a fake
 * Java that starts nothing.
 */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private static final String MAVEN = """
            #!/bin/sh -e
            echo "a build" >>builds
            mkdir -p model/target deploy/instance/target deploy/app/target
            cat model/src/main/java/* >model/target/model.jar
            cat deploy/instance/src/main/java/* >deploy/instance/target/tagstream-instance-1.10.jar
            others="$(dirname "$PWD")/of others.jar"
            printf '%s' "$PWD/model/target/model.jar" >deploy/instance/target/classpath
            printf '%s' "$PWD/deploy/instance/target/tagstream-instance-1.10.jar:$PWD/model/target/model.jar:$others" \\
                >deploy/app/target/classpath
            deploy/build-record write launcher tagstream-instance-1.10.jar
            case $* in *deploy/it*)
                mkdir -p deploy/it/target/test-classes
                cat deploy/it/src/test/java/* >deploy/it/target/test-classes/Laboratory.class
                printf '%s' "$PWD/model/target/model.jar:$others" >deploy/it/target/classpath
                deploy/build-record write tests
            esac
            """;

    private static final String JAVA = """
            #!/bin/sh
            case $1 in
                -version) echo 'openjdk version "17.0.1"' >&2 ;;
                *) printf '%s\\n' "$@" ;;
            esac
            """;

    @TempDir
    Path directory;

    private Path root;

    @BeforeEach
    void writeTree() throws IOException {
        root = directory.resolve("a tree");
        write(root.resolve("pom.xml"), "the parent");
        write(root.resolve("deploy/instance/pom.xml"), "instance");
        write(root.resolve("deploy/instance/src/main/java/Main.java"), "main");
        write(root.resolve("model/src/main/java/Model.java"), "model");
        write(root.resolve("deploy/it/src/test/java/Laboratory.java"), "laboratory");
        write(directory.resolve("of others.jar"), "others");
        script(root.resolve("mvnw"), MAVEN);
        script(directory.resolve("jdk/bin/java"), JAVA);
        for (String name : List.of("tagstream", "laboratory", "opensearch", "build-record")) {
            script(root.resolve("deploy").resolve(name), Files.readString(Path.of("..", name)));
        }
    }

    @Test
    void shouldBuildOnceAndStartWhatWasBuilt() throws Exception {
        assertThat(classPath(root)).isEqualTo(builtIn(root));
        assertThat(classPath(root)).isEqualTo(builtIn(root));
        assertThat(builds(root)).isEqualTo(1);
    }

    @Test
    void shouldRunAnInstanceWithWhatItNeedsAlone() throws Exception {
        assertThat(classPath(root, "run", "--config", "x"))
                .containsExactly(
                        root.resolve("deploy/instance/target/tagstream-instance-1.10.jar")
                                .toString(),
                        root.resolve("model/target/model.jar").toString());
    }

    @Test
    void shouldStartTheJarThatTheBuildNames() throws Exception {
        write(root.resolve("deploy/instance/target/tagstream-instance-1.0.jar"), "an older version");

        assertThat(classPath(root)).isEqualTo(builtIn(root));
    }

    @Test
    void shouldStartACopiedTreeFromItsOwnJarsWithoutABuild() throws Exception {
        classPath(root);
        Path copy = directory.resolve("copy");
        FileUtils.copyDirectory(root.toFile(), copy.toFile(), false);
        script(copy.resolve("deploy/tagstream"), Files.readString(Path.of("..", "tagstream")));
        script(copy.resolve("deploy/build-record"), Files.readString(Path.of("..", "build-record")));
        setTimes(copy.resolve("model/src"), Instant.now().plus(Duration.ofHours(1)));

        assertThat(classPath(copy)).isEqualTo(builtIn(copy));
        assertThat(builds(copy)).isEqualTo(1);
    }

    @Test
    void shouldBuildAgainWhereASourceHasOtherContent() throws Exception {
        classPath(root);
        write(root.resolve("model/src/main/java/Model.java"), "other");
        setTimes(root.resolve("model/src"), Instant.EPOCH);

        classPath(root);

        assertThat(builds(root)).isEqualTo(2);
        assertThat(root.resolve("model/target/model.jar")).hasContent("other");
    }

    @Test
    void shouldBuildAgainWhereASourceIsGone() throws Exception {
        write(root.resolve("model/src/main/java/Second.java"), "second");
        classPath(root);
        Files.delete(root.resolve("model/src/main/java/Second.java"));

        classPath(root);

        assertThat(builds(root)).isEqualTo(2);
    }

    @Test
    void shouldBuildAgainWhereAModuleWasBuiltFromOtherSources() throws Exception {
        classPath(root);
        write(root.resolve("model/target/model.jar"), "another branch's");

        classPath(root);

        assertThat(builds(root)).isEqualTo(2);
    }

    @Test
    void shouldBuildAgainWhereAJarOfOthersIsGone() throws Exception {
        classPath(root);
        Files.move(directory.resolve("of others.jar"), directory.resolve("moved.jar"));

        classPath(root);

        assertThat(builds(root)).isEqualTo(2);
    }

    @Test
    void shouldTakeABuildThatSomebodyElseStarted() throws Exception {
        run(root, "./mvnw");

        assertThat(classPath(root)).isEqualTo(builtIn(root));
        assertThat(builds(root)).isEqualTo(1);
    }

    @Test
    void shouldBuildTheTestsOnceForTheLaboratoryAndTheSearchServer() throws Exception {
        assertThat(testsClassPath("laboratory")).isEqualTo(builtTests());
        setTimes(root.resolve("deploy/it/src"), Instant.now().plus(Duration.ofHours(1)));
        setTimes(root.resolve("model/src"), Instant.now().plus(Duration.ofHours(1)));

        assertThat(testsClassPath("laboratory")).isEqualTo(builtTests());
        assertThat(testsClassPath("opensearch")).isEqualTo(builtTests());
        assertThat(builds(root)).isEqualTo(1);
    }

    @Test
    void shouldBuildTheTestsAgainWhereATestHasOtherContentButNotTheLauncher() throws Exception {
        testsClassPath("laboratory");
        write(root.resolve("deploy/it/src/test/java/Laboratory.java"), "other");

        classPath(root);
        assertThat(builds(root)).isEqualTo(1);

        testsClassPath("laboratory");
        assertThat(builds(root)).isEqualTo(2);
        assertThat(root.resolve("deploy/it/target/test-classes/Laboratory.class"))
                .hasContent("other");
    }

    @Test
    void shouldSayHowToStartTheSearchServerWithoutABuild() throws Exception {
        assertThat(run(root, "deploy/opensearch", "--help"))
                .singleElement()
                .asString()
                .contains("PORT");
        assertThat(root.resolve("builds")).doesNotExist();
    }

    private List<String> builtTests() {
        return List.of(
                root.resolve("deploy/it/target/test-classes").toString(),
                root.resolve("model/target/model.jar").toString(),
                directory.resolve("of others.jar").toString());
    }

    /** The class path that a script which starts something of the tests gives to Java. */
    private List<String> testsClassPath(String script) throws Exception {
        List<String> arguments = run(root, "deploy/" + script);
        return List.of(arguments.get(arguments.indexOf("-cp") + 1).split(":"));
    }

    private List<String> builtIn(Path tree) {
        return List.of(
                tree.resolve("deploy/instance/target/tagstream-instance-1.10.jar")
                        .toString(),
                tree.resolve("model/target/model.jar").toString(),
                directory.resolve("of others.jar").toString());
    }

    /** The class path that the launcher gives to Java. */
    private List<String> classPath(Path tree) throws Exception {
        return classPath(tree, "model", "inspect");
    }

    private List<String> classPath(Path tree, String... command) throws Exception {
        List<String> line = new ArrayList<>(List.of("deploy/tagstream"));
        line.addAll(List.of(command));
        List<String> arguments = run(tree, line.toArray(String[]::new));
        line.set(0, "io.tagstream.cli.Main");
        assertThat(arguments).endsWith(line.toArray(String[]::new));
        return List.of(arguments.get(arguments.indexOf("-cp") + 1).split(":"));
    }

    private List<String> run(Path tree, String... command) throws Exception {
        Path output = directory.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(tree.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("JAVA_HOME", directory.resolve("jdk").toString());
        Process process = builder.start();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        List<String> lines = Files.readAllLines(output);
        assertThat(process.exitValue()).as(lines.toString()).isZero();
        return lines;
    }

    private static int builds(Path tree) throws IOException {
        return Files.readAllLines(tree.resolve("builds")).size();
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text, UTF_8);
    }

    private static void script(Path file, String text) throws IOException {
        write(file, text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private static void setTimes(Path folder, Instant time) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, FileTime.from(time));
            }
        }
    }
}
