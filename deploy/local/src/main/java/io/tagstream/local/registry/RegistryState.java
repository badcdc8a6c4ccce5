/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.registry;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;

/**
 * The registry's state, built from entries in the order in which they were written. Only {@link #apply} changes it, so
 * after a restart it is the same as before. Not thread-safe: the owner guards it.
 */
final class RegistryState {
    private final NavigableMap<String, NavigableMap<Integer, RegisteredSchema>> subjects = new TreeMap<>();
    private final Map<String, CompatibilityLevel> compatibilityBySubject = new HashMap<>();
    private CompatibilityLevel compatibility = CompatibilityLevel.BACKWARD_TRANSITIVE;
    private int highestId;

    void apply(RegistryEntry entry) {
        RegistryEntry.Key key = entry.key();
        RegistryEntry.Value value = entry.value();
        switch (key.kind()) {
            case SCHEMA -> applySchema(key, value);
            case CONFIG -> applyCompatibility(key.subject(), value == null ? null : value.compatibility());
            case HIGHEST_ID -> highestId = Math.max(highestId, value == null ? 0 : value.id());
        }
    }

    private void applySchema(RegistryEntry.Key key, RegistryEntry.Value value) {
        NavigableMap<Integer, RegisteredSchema> versions =
                subjects.computeIfAbsent(key.subject(), subject -> new TreeMap<>());
        if (value == null) {
            versions.remove(key.version());
            if (versions.isEmpty()) {
                subjects.remove(key.subject());
            }
        } else {
            versions.put(
                    key.version(),
                    new RegisteredSchema(key.subject(), key.version(), value.id(), value.schema(), value.deleted()));
            highestId = Math.max(highestId, value.id());
        }
    }

    private void applyCompatibility(String subject, CompatibilityLevel level) {
        if (subject == null) {
            compatibility = level == null ? CompatibilityLevel.BACKWARD_TRANSITIVE : level;
        } else if (level == null) {
            compatibilityBySubject.remove(subject);
        } else {
            compatibilityBySubject.put(subject, level);
        }
    }

    /** All registered schemas, deleted ones included. */
    Stream<RegisteredSchema> all() {
        return subjects.values().stream().map(Map::values).flatMap(Collection::stream);
    }

    List<String> subjects(String prefix, boolean withDeleted) {
        return subjects.keySet().stream()
                .filter(subject -> subject.startsWith(prefix))
                .filter(subject -> !versions(subject, withDeleted).isEmpty())
                .toList();
    }

    /** A subject's versions, oldest first; empty when there are none. */
    List<RegisteredSchema> versions(String subject, boolean withDeleted) {
        return subjects.getOrDefault(subject, new TreeMap<>()).values().stream()
                .filter(version -> withDeleted || !version.deleted())
                .toList();
    }

    /** A subject's versions, oldest first; at least one. */
    List<RegisteredSchema> existingVersions(String subject, boolean withDeleted) {
        List<RegisteredSchema> versions = versions(subject, withDeleted);
        if (versions.isEmpty()) {
            throw RegistryError.subjectNotFound(subject);
        }
        return versions;
    }

    /**
     * A version of a subject.
     *
     * @param version the number, or {@code latest} or -1 for the newest that is not deleted
     */
    RegisteredSchema version(String subject, String version, boolean withDeleted) {
        if (version.equals("latest") || version.equals("-1")) {
            List<RegisteredSchema> versions = existingVersions(subject, false);
            return versions.get(versions.size() - 1);
        }
        List<RegisteredSchema> versions = existingVersions(subject, withDeleted);
        int number = versionNumber(version);
        return first(versions, found -> found.version() == number)
                .orElseThrow(() -> RegistryError.versionNotFound(version));
    }

    private static int versionNumber(String version) {
        try {
            int number = Integer.parseInt(version);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            throw RegistryError.invalidVersion(version);
        }
        throw RegistryError.invalidVersion(version);
    }

    RegisteredSchema byId(int id) {
        return all().filter(registered -> registered.id() == id).findFirst().orElseThrow(RegistryError::schemaNotFound);
    }

    RegisteredSchema lookUp(String subject, Schema schema, boolean withDeleted) {
        List<RegisteredSchema> versions = existingVersions(subject, withDeleted);
        return find(versions, schema).orElseThrow(RegistryError::schemaNotFound);
    }

    CompatibilityLevel compatibility() {
        return compatibility;
    }

    /** The level configured for a subject, or the global one. */
    CompatibilityLevel effectiveCompatibility(String subject) {
        return compatibilityBySubject.getOrDefault(subject, compatibility);
    }

    Optional<CompatibilityLevel> ownCompatibility(String subject) {
        return Optional.ofNullable(compatibilityBySubject.get(subject));
    }

    /**
     * What a candidate would break in a subject's versions, one message per incompatibility; empty when there is none.
     */
    List<String> violations(String subject, Schema candidate) {
        return effectiveCompatibility(subject).violations(candidate, parsed(versions(subject, false)));
    }

    /** Like {@link #violations(String, Schema)}, but against one version. */
    List<String> violations(RegisteredSchema version, Schema candidate) {
        return effectiveCompatibility(version.subject()).violations(candidate, parsed(List.of(version)));
    }

    /** The version that registering a schema would add; empty if the subject already has it. */
    Optional<RegisteredSchema> registration(String subject, Schema schema) {
        if (find(versions(subject, false), schema).isPresent()) {
            return Optional.empty();
        }
        List<String> violations = violations(subject, schema);
        if (!violations.isEmpty()) {
            throw RegistryError.incompatible(
                    String.join("; ", violations) + " (compatibility: " + effectiveCompatibility(subject) + ")");
        }
        List<RegisteredSchema> versions = versions(subject, true);
        int version = versions.isEmpty() ? 1 : versions.get(versions.size() - 1).version() + 1;
        String text = schema.toString();
        int id = first(all().toList(), registered -> registered.schema().equals(text))
                .map(RegisteredSchema::id)
                .orElse(highestId + 1);
        return Optional.of(new RegisteredSchema(subject, version, id, text, false));
    }

    /** The entries that delete some of a subject's versions. */
    List<RegistryEntry> deletion(List<RegisteredSchema> versions, boolean permanent) {
        List<RegistryEntry> entries = new ArrayList<>();
        if (permanent) {
            entries.add(RegistryEntry.highestId(highestId)); // no later schema may get the id of a deleted one
        }
        for (RegisteredSchema version : versions) {
            entries.add(permanent ? RegistryEntry.noSchema(version) : RegistryEntry.schema(version.asDeleted()));
        }
        return entries;
    }

    private static Optional<RegisteredSchema> find(List<RegisteredSchema> versions, Schema schema) {
        String text = schema.toString();
        return first(versions, version -> version.schema().equals(text));
    }

    private static Optional<RegisteredSchema> first(
            List<RegisteredSchema> versions, Predicate<RegisteredSchema> condition) {
        return versions.stream().filter(condition).findFirst();
    }

    private static List<Schema> parsed(List<RegisteredSchema> versions) {
        return versions.stream().map(version -> parse(version.schema())).toList();
    }

    /**
     * Parses a schema.
     *
     * @throws RegistryError with code 42201 if it is not a valid schema
     */
    static Schema parse(String schema) {
        try {
            return new Schema.Parser().parse(schema);
        } catch (AvroRuntimeException malformed) {
            throw RegistryError.invalidSchema(malformed.getMessage());
        }
    }
}
