/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.records;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads a record's key as an id: plain UTF-8, not empty. Any other key is refused, since an outcome could not be
 * addressed to it.
 */
public final class IdDeserializer implements Deserializer<String> {
    private final String subject;

    /** {@code subject} is the word for the identified thing in messages, such as "image". */
    public IdDeserializer(String subject) {
        this.subject = subject;
    }

    @Override
    public String deserialize(String topic, byte[] key) {
        if (key == null || key.length == 0) {
            throw new SerializationException("A record of topic " + topic + " has no key; the key must be the "
                    + subject + " id, in UTF-8 and not empty");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(key))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new SerializationException(
                    "The key of a record of topic " + topic + " is not UTF-8; it must be the " + subject + " id, not "
                            + new String(key, StandardCharsets.UTF_8),
                    e);
        }
    }

    /** The id as far as it can be shown; for reporting refused keys. */
    public static String describe(byte[] key) {
        return key == null ? null : new String(key, StandardCharsets.UTF_8);
    }
}
