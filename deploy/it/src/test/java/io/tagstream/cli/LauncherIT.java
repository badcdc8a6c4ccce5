/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.it.InRun;
import java.nio.file.Path;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Checks what the build records for {@code deploy/tagstream}; {@code LauncherTest} checks how the launcher uses it. */
@DisabledOnOs(OS.WINDOWS)
@InRun
class LauncherIT {
    @Test
    void shouldFindTheJarsOfThisBuild() throws Exception {
        Process record = new ProcessBuilder("../build-record", "class-path", "run")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String[] classPath = record.inputReader().readLine().split(":");

        assertThat(record.waitFor()).isZero();
        assertThat(classPath).allSatisfy(entry -> assertThat(Path.of(entry)).isRegularFile());
        try (JarFile jar = new JarFile(classPath[0])) {
            assertThat(jar.getEntry("io/tagstream/instance/RunCommand.class")).isNotNull();
        }
    }
}
