/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What a bad disk, a crash of the system or a person may do to the files of a state directory. */
public enum Damage {
    TRUNCATED_DATA(".*\\.sst", content -> Arrays.copyOf(content, content.length / 2)),
    OVERWRITTEN_DATA(".*\\.sst", Damage::scratched),
    EMPTY_MANIFEST("MANIFEST-.*", content -> new byte[0]),
    NONSENSE_CURRENT("CURRENT", content -> nonsense(new byte[1], 1)),
    MISSING_CURRENT("CURRENT", content -> null),
    NONSENSE_PROCESS_FILE("kafka-streams-process-metadata", content -> nonsense(new byte[1], 1));

    private static final byte NONSENSE = 7;

    private final Pattern files;

    @SuppressWarnings("ImmutableEnumChecker") // its lambdas hold nothing
    private final Change change;

    private interface Change {
        byte[] apply(byte[] content);
    }

    Damage(String files, Change change) {
        this.files = Pattern.compile(files);
        this.change = change;
    }

    private static byte[] scratched(byte[] content) {
        return nonsense(content.clone(), content.length / 2);
    }

    private static byte[] nonsense(byte[] content, int length) {
        Arrays.fill(content, 0, length, NONSENSE);
        return content;
    }

    /**
     * Damages every file of its kind. Nobody may have them open.
     *
     * @return how many there are
     */
    public int doTo(Path directory) throws IOException {
        List<Path> found;
        try (Stream<Path> all = Files.walk(directory)) {
            found = all.filter(
                            file -> files.matcher(file.getFileName().toString()).matches())
                    .toList();
        }
        for (Path file : found) {
            byte[] damaged = change.apply(Files.readAllBytes(file));
            Files.delete(file);
            if (damaged != null) {
                Files.write(file, damaged);
            }
        }
        return found.size();
    }
}
