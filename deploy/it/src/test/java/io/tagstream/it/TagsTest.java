/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.properties.CanBeAnnotated;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.List;
import org.junit.jupiter.api.Test;

class TagsTest {
    @Test
    void shouldSayOfEveryIntegrationTestWhetherEveryChangeOrOnlyAReleaseRunsIt() {
        List<JavaClass> classes = new ClassFileImporter()
                .importPackages("io.tagstream").stream()
                        .filter(type -> type.getSimpleName().endsWith("IT"))
                        .toList();

        assertThat(classes)
                .isNotEmpty()
                .allSatisfy(type -> assertThat(isTagged(type)
                                || type.getMethods().stream()
                                        .filter(method -> method.isAnnotatedWith(Test.class))
                                        .allMatch(TagsTest::isTagged))
                        .as("%s, or each of its tests, is annotated with @InRun or @InFull", type.getName())
                        .isTrue());
    }

    private static boolean isTagged(CanBeAnnotated element) {
        return element.isAnnotatedWith(InRun.class) || element.isAnnotatedWith(InFull.class);
    }
}
