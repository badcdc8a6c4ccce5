/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Faults that the product once had are put back, one at a time, into a copy of its classes: the simulator finds each of
 * them.
 *
 * <p>{@code -Dsimulator.mutants.seeds=N} runs this, and says within how many seeds.
 */
@EnabledIfSystemProperty(named = SimulatorMutantsTest.SEEDS, matches = "\\d+")
class SimulatorMutantsTest {
    static final String SEEDS = "simulator.mutants.seeds";
    private static final Path SOURCES = Path.of("src", "main", "java", "io", "tagstream", "topology");

    @TempDir
    Path directory;

    /** A change of a source file: a text that it has once, and what stands there instead. */
    private record Change(String file, String right, String wrong) {}

    /** What was wrong, and how to make it wrong again. */
    private record Mutant(String fault, List<Change> changes) {
        @Override
        public String toString() {
            return fault;
        }
    }

    static List<Mutant> mutants() {
        return List.of(
                new Mutant(
                        "An image that is read again with a new model, while a label is edited, keeps the features of"
                                + " the old model",
                        List.of(
                                new Change(
                                        "tagging/Sweeper.java",
                                        "if (scores != null) { // its features",
                                        "if (scores != null && scores.labels().epoch() == target.epoch()) { // its"
                                                + " features"),
                                new Change(
                                        "tagging/FeatureStore.java",
                                        "&& kept.getModel().equals(model))",
                                        "&& image.getModel().equals(model))"))),
                new Mutant(
                        "An instance takes a marker of an earlier label-vocabulary for one of the topic that replaced"
                                + " it",
                        List.of(new Change(
                                "vocabulary/Vocabulary.java",
                                "return inForce.getTopicId() == null ||"
                                        + " inForce.getTopicId().equals(required.topicId());",
                                "return true;"))),
                new Mutant(
                        "Epochs start again with a label-vocabulary that was recreated",
                        List.of(
                                new Change(
                                        "labels/Resumption.java",
                                        "return mayBeOfThisTopic ? 0 : Math.max(written.newestEpoch(), left) + 1;",
                                        "return 0;"),
                                new Change(
                                        "labels/Resumption.java",
                                        "base = Math.max(base, lowestBase(processed) - changes);",
                                        ""))),
                new Mutant(
                        "A change of the model or the tag policy is no epoch of its own",
                        List.of(new Change(
                                "labels/Resumption.java",
                                "return rules == null ? 0 : rules.getRevision() - 1;",
                                "return 0;"))),
                new Mutant(
                        "After the loss of a sweep's store, images are scored from other images' features",
                        List.of(
                                new Change(
                                        "tagging/FeatureStore.java",
                                        "last.ifPresent(entry -> this.nextKey = Math.max(nextKey, entry.key + 1));",
                                        ""),
                                new Change(
                                        "tagging/FeatureStore.java",
                                        ".filter(kept -> kept.getImageId().equals(id)",
                                        ".filter(kept -> true"),
                                new Change(
                                        "tagging/FeatureStore.java",
                                        "&& kept.getSha256().equals(image.getSha256())",
                                        ""))));
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void shouldFindAFaultThatIsPutBack(Mutant mutant) throws Exception {
        compile(mutant);
        try (URLClassLoader loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader())) {
            Class<?> search = loader.loadClass(Search.class.getName());
            long seed = (long) search.getMethod("firstViolation", int.class).invoke(null, Integer.getInteger(SEEDS));
            assertThat(seed).as("the seed at which it is found").isNotNegative();
            assertThat(Shortening.violation(History.of(seed)))
                    .as("the violation at seed %d without the mutant", seed)
                    .isEmpty();
            System.out.printf("%s: found after %d histories%n", mutant, seed + 1);
        }
    }

    /** The class path with the changed classes before everything else. */
    private URL[] classPath() throws IOException {
        List<URL> urls = new ArrayList<>(List.of(classes().toUri().toURL()));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(URL[]::new);
    }

    private Path classes() throws IOException {
        return Files.createDirectories(directory.resolve("classes"));
    }

    private void compile(Mutant mutant) throws IOException {
        for (Change change : mutant.changes) {
            Path copy = directory.resolve("sources").resolve(change.file());
            String source = Files.readString(Files.exists(copy) ? copy : SOURCES.resolve(change.file()));
            assertThat(source.split(Pattern.quote(change.right()), -1))
                    .as("%s has '%s' once; if the code has changed, change the mutant", change.file(), change.right())
                    .hasSize(2);
            Files.createDirectories(copy.getParent());
            Files.writeString(copy, source.replace(change.right(), change.wrong()));
        }
        List<String> arguments = new ArrayList<>(List.of(
                "-proc:none",
                "-nowarn",
                "-classpath",
                System.getProperty("java.class.path"),
                "-d",
                classes().toString()));
        mutant.changes.stream()
                .map(change ->
                        directory.resolve("sources").resolve(change.file()).toString())
                .distinct()
                .forEach(arguments::add);
        int result = ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new));
        assertThat(result).as("the result of compiling %s", mutant).isZero();
    }

    /** Runs on the changed classes. */
    public static final class Search {
        private Search() {}

        /** The first seed whose history breaks a promise; -1 if none does. */
        public static long firstViolation(int seeds) {
            for (long seed = 0; seed < seeds; seed++) {
                if (Shortening.violation(History.of(seed)).isPresent()) {
                    return seed;
                }
            }
            return -1;
        }
    }
}
