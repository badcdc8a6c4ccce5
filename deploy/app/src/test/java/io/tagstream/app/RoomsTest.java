/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.tagstream.cli.ExitCode;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Checks which rooms may depend on which, and which code alone may use certain APIs. Maven enforces the rules between
 * rooms, and this test the same rules between their packages.
 */
class RoomsTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.tagstream");
    /** The rooms of deploy, and the rooms that each depends on; all depend on topology, model-runtime and schemas. */
    private static final Map<String, Set<String>> ROOMS = Map.of(
            "cluster", Set.of(),
            "inference", Set.of("cluster"),
            "operations", Set.of("cluster"),
            "console", Set.of("cluster", "inference", "operations"),
            "cli", Set.of("cluster"),
            "instance", Set.of("cluster", "inference", "operations", "console", "cli"),
            "local", Set.of("cluster", "inference", "operations", "console", "cli"),
            "feed", Set.of("cluster", "operations", "cli"),
            "bench", Set.of("cluster", "inference", "operations", "cli", "local", "feed"));

    @Test
    void shouldPointTheArrowsBetweenRoomsOneWay() {
        ROOMS.forEach((room, known) -> ROOMS.keySet().stream()
                .filter(other -> !other.equals(room) && !known.contains(other))
                .forEach(other -> noClasses()
                        .that()
                        .resideInAPackage(in(room))
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage(in(other))
                        .check(CLASSES)));
    }

    @Test
    void shouldHaveNoCircleAmongPackages() {
        slices().matching("io.tagstream.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void shouldKeepWhatOnlyOneRoomNeedsToThatRoom() {
        onlyIn("org.apache.lucene..", "console");
        onlyIn("kafka.server..", "local");
        onlyIn("org.opensearch..", "feed", "bench");
        onlyIn("ai.onnxruntime..", "model", "bench");
    }

    @Test
    void shouldLeaveExitCodesToTheCommandLine() {
        noClasses()
                .that()
                .resideOutsideOfPackage(in("cli"))
                .and()
                .haveSimpleNameNotEndingWith("Command")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(ExitCode.class)
                .check(CLASSES);
    }

    private static void onlyIn(String dependency, String... rooms) {
        String[] packages = java.util.Arrays.stream(rooms).map(RoomsTest::in).toArray(String[]::new);
        noClasses()
                .that()
                .resideOutsideOfPackages(packages)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(dependency)
                .check(CLASSES);
    }

    private static String in(String room) {
        return "io.tagstream." + room + "..";
    }
}
