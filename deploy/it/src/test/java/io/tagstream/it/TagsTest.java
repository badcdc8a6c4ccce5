/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.properties.CanBeAnnotated;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class TagsTest {
    private static final Set<String> TAGS = Set.of("run", "full");

    @Test
    void shouldSayOfEveryIntegrationTestWhetherEveryChangeOrOnlyAReleaseRunsIt() {
        List<JavaClass> classes = new ClassFileImporter()
                .importPackages("io.tagstream").stream()
                        .filter(type -> type.getSimpleName().endsWith("IT"))
                        .toList();

        assertThat(classes)
                .isNotEmpty()
                .allSatisfy(type -> assertThat(
                                isTagged(type) || tests(type).stream().allMatch(TagsTest::isTagged))
                        .as("%s is tagged run or full, or each of its tests is", type.getName())
                        .isTrue());
    }

    private static List<JavaMethod> tests(JavaClass type) {
        return type.getMethods().stream()
                .filter(method -> method.isAnnotatedWith(Test.class))
                .toList();
    }

    private static boolean isTagged(CanBeAnnotated element) {
        if (element instanceof JavaClass type) {
            return type.tryGetAnnotationOfType(Tag.class)
                    .filter(tag -> TAGS.contains(tag.value()))
                    .isPresent();
        }
        return ((JavaMethod) element)
                .tryGetAnnotationOfType(Tag.class)
                .filter(tag -> TAGS.contains(tag.value()))
                .isPresent();
    }
}
