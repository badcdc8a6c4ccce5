/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.time.Instant;

/** Images as JSON, both in the index and in the API's responses. */
public final class ImageJson {
    private static final ObjectMapper MAPPER = new ObjectMapper().registerModule(times());

    private ImageJson() {}

    /** Instants as ISO 8601. */
    public static SimpleModule times() {
        return new SimpleModule("times")
                .addSerializer(Instant.class, ToStringSerializer.instance)
                .addDeserializer(Instant.class, new StdScalarDeserializer<>(Instant.class) {
                    private static final long serialVersionUID = 1L;

                    @Override
                    public Instant deserialize(JsonParser parser, DeserializationContext context) throws IOException {
                        return Instant.parse(parser.getText());
                    }
                });
    }

    static byte[] write(ImageDocument image) {
        try {
            return MAPPER.writeValueAsBytes(image);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A record of plain values is always JSON", e);
        }
    }

    static ImageDocument read(byte[] json) throws IOException {
        return MAPPER.readValue(json, ImageDocument.class);
    }
}
