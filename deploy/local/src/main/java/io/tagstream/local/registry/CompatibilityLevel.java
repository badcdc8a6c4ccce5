/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.registry;

import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/** What a subject's next schema must be compatible with; the names and their meanings are Confluent's. */
enum CompatibilityLevel {
    NONE(false, false, false),
    BACKWARD(true, false, false),
    BACKWARD_TRANSITIVE(true, false, true),
    FORWARD(false, true, false),
    FORWARD_TRANSITIVE(false, true, true),
    FULL(true, true, false),
    FULL_TRANSITIVE(true, true, true);

    private final boolean readsEarlier;
    private final boolean readByEarlier;
    private final boolean transitive;

    CompatibilityLevel(boolean readsEarlier, boolean readByEarlier, boolean transitive) {
        this.readsEarlier = readsEarlier;
        this.readByEarlier = readByEarlier;
        this.transitive = transitive;
    }

    /**
     * What a candidate would break.
     *
     * @param candidate the next schema
     * @param earlier the subject's schemas, oldest first
     * @return one message per incompatibility; empty when there is none
     */
    List<String> violations(Schema candidate, List<Schema> earlier) {
        List<Schema> compared =
                transitive || earlier.isEmpty() ? earlier : earlier.subList(earlier.size() - 1, earlier.size());
        List<String> violations = new ArrayList<>();
        for (Schema other : compared) {
            if (readsEarlier) {
                violations.addAll(violations(candidate, other, "the new schema cannot read the earlier one"));
            }
            if (readByEarlier) {
                violations.addAll(violations(other, candidate, "the earlier schema cannot read the new one"));
            }
        }
        return violations;
    }

    private static List<String> violations(Schema reader, Schema writer, String meaning) {
        return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                .getResult()
                .getIncompatibilities()
                .stream()
                .map(found ->
                        meaning + ": " + found.getType() + " at " + found.getLocation() + ": " + found.getMessage())
                .toList();
    }
}
