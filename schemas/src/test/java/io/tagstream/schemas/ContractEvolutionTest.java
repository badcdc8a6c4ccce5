/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.util.RandomData;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks today's contracts against every released version: BACKWARD_TRANSITIVE. */
class ContractEvolutionTest {
    private static final String STATE = "io.tagstream.avro.state.";

    private static List<String> releases() {
        return Contracts.releases();
    }

    @ParameterizedTest
    @MethodSource("releases")
    void shouldReadWhatEveryReleasedVersionWrote(String version) {
        Map<String, Schema> released = Contracts.released(version);

        assertThat(released).as("contracts of " + version).isNotEmpty();
        assertThat(violations(Contracts.today(), released)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("releases")
    void shouldDecodeRecordsOfEveryReleasedVersion(String version) throws Exception {
        for (Schema written : Contracts.released(version).values()) {
            if (written.getType() == Schema.Type.RECORD) {
                Class<? extends SpecificRecord> type =
                        Class.forName(written.getFullName()).asSubclass(SpecificRecord.class);
                for (Object value : new RandomData(written, 20, 42L)) {
                    assertThat(
                                    written.getFullName().startsWith(STATE)
                                            ? decodeState(type, written, value)
                                            : decodeRecord(type, written, value))
                            .as("%s of %s", written.getFullName(), version)
                            .isInstanceOf(type);
                }
            }
        }
    }

    private static Object decodeRecord(Class<? extends SpecificRecord> type, Schema written, Object value)
            throws IOException {
        try (SchemaRegistry registry = SchemaRegistries.inMemory()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int id = registry.register("topic-value", written);
            bytes.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
            new GenericDatumWriter<>(written).write(value, encoder);
            try (Deserializer<? extends SpecificRecord> deserializer = new AvroSerde<>(type, registry).deserializer()) {
                return deserializer.deserialize("topic", bytes.toByteArray());
            }
        }
    }

    private static Object decodeState(Class<? extends SpecificRecord> type, Schema written, Object value)
            throws IOException {
        ByteBuffer encoded = new BinaryMessageEncoder<>(GenericData.get(), written).encode(value);
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes);
        try (Deserializer<? extends SpecificRecord> deserializer = new StateSerde<>(type).deserializer()) {
            return deserializer.deserialize("store", bytes);
        }
    }

    @Test
    void shouldNoticeAnIncompatibleChange() {
        Map<String, Schema> released = Map.of("Photo", record("{\"name\": \"size\", \"type\": \"string\"}"));

        Map<String, Schema> retyped = Map.of("Photo", record("{\"name\": \"size\", \"type\": \"int\"}"));
        Map<String, Schema> grown = Map.of(
                "Photo",
                record("{\"name\": \"size\", \"type\": \"string\"}, {\"name\": \"owner\", \"type\": \"string\"}"));
        Map<String, Schema> grownWithDefault = Map.of(
                "Photo",
                record("{\"name\": \"size\", \"type\": \"string\"},"
                        + " {\"name\": \"owner\", \"type\": \"string\", \"default\": \"\"}"));

        assertThat(violations(retyped, released))
                .singleElement()
                .asString()
                .contains("TYPE_MISMATCH", "/fields/0/type");
        assertThat(violations(grown, released))
                .singleElement()
                .asString()
                .contains("READER_FIELD_MISSING_DEFAULT_VALUE", "owner");
        assertThat(violations(Map.of(), released)).singleElement().asString().contains("Photo", "gone");
        assertThat(violations(grownWithDefault, released)).isEmpty();
    }

    private static Schema record(String fields) {
        return new Schema.Parser().parse("{\"type\": \"record\", \"name\": \"Photo\", \"fields\": [" + fields + "]}");
    }

    private static List<String> violations(Map<String, Schema> today, Map<String, Schema> released) {
        List<String> violations = new ArrayList<>();
        released.forEach((name, writer) -> {
            Schema reader = today.get(name);
            if (reader == null) {
                violations.add(name + " is gone");
            } else {
                SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                        .getResult()
                        .getIncompatibilities()
                        .forEach(found -> violations.add(name + ": " + found));
            }
        });
        return violations;
    }

    @Test
    void shouldDocumentEveryTypeAndEveryField() {
        List<String> undocumented = new ArrayList<>();
        for (Schema schema : Contracts.today().values()) {
            if (isBlank(schema.getDoc())) {
                undocumented.add(schema.getFullName());
            }
            if (schema.getType() == Schema.Type.RECORD) {
                schema.getFields().stream()
                        .filter(field -> isBlank(field.doc()))
                        .forEach(field -> undocumented.add(schema.getFullName() + "." + field.name()));
            }
        }
        assertThat(Contracts.today()).hasSizeGreaterThan(10);
        assertThat(undocumented).isEmpty();
    }

    @Test
    void shouldGiveEveryEnumADefaultForSymbolsOfLaterVersions() {
        assertThat(Contracts.today().values())
                .filteredOn(schema -> schema.getType() == Schema.Type.ENUM)
                .isNotEmpty()
                .allSatisfy(schema -> assertThat(schema.getEnumDefault())
                        .as(schema.getFullName())
                        .isNotNull());
    }

    private static boolean isBlank(String text) {
        return text == null || text.isBlank();
    }
}
