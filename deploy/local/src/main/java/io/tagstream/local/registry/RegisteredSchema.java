/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.registry;

/**
 * A version of a subject.
 *
 * @param subject subject
 * @param version number within the subject, from 1
 * @param id id of the schema, the same in every subject that has it
 * @param schema the schema's JSON, as Avro prints it
 * @param deleted whether it was soft-deleted: gone from listings, still readable by id
 */
record RegisteredSchema(String subject, int version, int id, String schema, boolean deleted) {
    RegisteredSchema asDeleted() {
        return new RegisteredSchema(subject, version, id, schema, true);
    }
}
