/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Prints the graph of Maven modules and checks that the documentation shows it. */
class ModuleGraphTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Path PAGE = Path.of("..", "docs", "architecture.md");
    private static final String BEGINNING = "```mermaid\nflowchart LR\n    %% modules\n";
    private static final String END = "```\n";
    private static final String PREFIX = "tagstream-";
    private static final Pattern ARTIFACT = Pattern.compile("<artifactId>tagstream-([a-z-]+)</artifactId>");
    private static final Pattern DEPENDENCY = Pattern.compile("<dependency>.*?</dependency>", Pattern.DOTALL);
    /** Modules that nothing runs: the integration tests, the archives, the image, and the aggregators. */
    private static final Set<String> LEFT_OUT = Set.of("it", "distribution", "image", "deploy", "parent");

    /** {@code -Dmodules.page.write=true} rewrites the page's graph. */
    @Test
    void shouldShowTheModulesThatMavenBuilds() throws IOException {
        Map<String, Set<String>> modules = modules();
        modules.forEach((module, known) -> System.out.printf("%s -> %s%n", module, String.join(", ", known)));
        String page = Files.readString(PAGE);
        int from = page.indexOf(BEGINNING) + BEGINNING.length();
        int to = page.indexOf(END, from);
        assertThat(page).contains(BEGINNING);
        if (Boolean.getBoolean("modules.page.write")) {
            Files.writeString(PAGE, page.substring(0, from) + render(modules) + page.substring(to));
            page = Files.readString(PAGE);
            to = page.indexOf(END, from);
        }

        assertThat(page.substring(from, to)).isEqualTo(render(modules));
    }

    /** Each module and the modules that it declares for its main code, without those that it has through another. */
    private static Map<String, Set<String>> modules() throws IOException {
        Map<String, Set<String>> declared = new TreeMap<>();
        try (Stream<Path> files = Files.walk(ROOT, 3)) {
            List<Path> poms = files.filter(path -> path.endsWith("pom.xml")).toList();
            for (Path pom : poms) {
                String text = Files.readString(pom);
                String module = module(text.substring(text.indexOf("</parent>") + 1));
                if (!LEFT_OUT.contains(module)) {
                    declared.put(module, dependencies(text));
                }
            }
        }
        Map<String, Set<String>> reduced = new TreeMap<>();
        declared.forEach((module, known) -> reduced.put(
                module,
                known.stream()
                        .filter(one ->
                                known.stream().noneMatch(other -> !other.equals(one) && reaches(declared, other, one)))
                        .collect(Collectors.toCollection(TreeSet::new))));
        return reduced;
    }

    private static String module(String pom) {
        Matcher artifact = ARTIFACT.matcher(pom);
        assertThat(artifact.find()).as("%s names a module of %s*", pom, PREFIX).isTrue();
        return artifact.group(1);
    }

    private static Set<String> dependencies(String pom) {
        Set<String> found = new TreeSet<>();
        if (!pom.contains("<dependencyManagement>")) {
            Matcher dependency = DEPENDENCY.matcher(pom);
            while (dependency.find()) {
                Matcher artifact = ARTIFACT.matcher(dependency.group());
                if (artifact.find() && !dependency.group().contains("<scope>test</scope>")) {
                    found.add(artifact.group(1));
                }
            }
        }
        return found;
    }

    private static boolean reaches(Map<String, Set<String>> declared, String from, String to) {
        return declared.getOrDefault(from, Set.of()).stream()
                .anyMatch(next -> next.equals(to) || reaches(declared, next, to));
    }

    private static String render(Map<String, Set<String>> modules) {
        StringBuilder graph = new StringBuilder();
        modules.forEach((module, known) -> known.forEach(
                other -> graph.append("    %s --> %s%n".formatted(module, other).replace("\r", ""))));
        return graph.toString();
    }
}
