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
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern CALL = Pattern.compile("log[.]error\\(\\s*((?:" + LITERAL + "[\\s+]*)+)");

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

    @Test
    void shouldFindInTheOperationsPageWhatTheCodeLogsAndNothingElse() throws Exception {
        List<String> messages = new ArrayList<>();
        try (Stream<Path> files = Files.walk(ROOT)) {
            for (Path file : files.filter(LoggedErrorsTest::isOfAnInstance).toList()) {
                CALL.matcher(Files.readString(file)).results().forEach(call -> messages.add(message(call.group(1))));
            }
        }
        assertThat(messages).hasSizeGreaterThan(30);

        LoggedErrors listed = LoggedErrors.documented();
        assertThat(check(listed, messages.toArray(String[]::new))).isEmpty();
        assertThat(listed.neverLogged(messages)).isEmpty();
    }

    private static boolean isOfAnInstance(Path file) {
        String path = file.toString();
        return path.endsWith(".java") && path.contains("/src/main/java/") && !path.contains("/deploy/bench/");
    }

    /** The message of a call, with a word in the place of each value. */
    private static String message(String literals) {
        return LITERAL.matcher(literals)
                .results()
                .map(literal -> literal.group(1))
                .collect(Collectors.joining())
                .replace("{}", "something");
    }
}
