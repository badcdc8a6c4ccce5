/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.lab.Violation.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that errors which the operations page does not list are found. */
class LoggedErrorsTest {
    private static final String PAGE = """
            ## Errors in the log
            | message | what has happened |
            |---|---|
            | `A thread failed in … ms` `Another` | x |
            ## Next
            | `Not listed` | x |
            """;

    @TempDir
    Path directory;

    private List<Violation> check(LoggedErrors errors, String... messages) throws Exception {
        for (String message : messages) {
            Files.writeString(
                    Files.createDirectories(directory).resolve("instance-1.log"),
                    "09:00:00.000 ERROR [a thread] Some - " + message + "\n",
                    java.nio.file.StandardOpenOption.CREATE,
                    java.nio.file.StandardOpenOption.APPEND);
        }
        return errors.check(directory);
    }

    @Test
    void shouldFindErrorsThatAreNotListed() throws Exception {
        List<Violation> found = check(
                LoggedErrors.listed(PAGE),
                "A thread failed in 100 ms",
                "Another",
                "Not listed",
                "Not listed",
                "Other 1");

        assertThat(found).extracting(Violation::kind).containsOnly(Kind.UNKNOWN_ERROR);
        assertThat(found)
                .extracting(Violation::what)
                .containsExactly("instance-1.log has Some: Not listed", "instance-1.log has Some: Other 1");
    }

    @Test
    void shouldReadTheOperationsPage() throws Exception {
        assertThat(check(
                        LoggedErrors.documented(),
                        "A stream thread failed; it is replaced in 100 ms and its work is redone"))
                .isEmpty();
    }
}
