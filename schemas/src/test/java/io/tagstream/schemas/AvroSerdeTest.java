/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.avro.EncodedLabel;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;

class AvroSerdeTest {
    private static final String TOPIC = "images";

    private final SchemaRegistry registry = SchemaRegistries.inMemory();
    private final AvroSerde<ImageReference> serde = new AvroSerde<>(ImageReference.class, registry);

    @Test
    void shouldReadBackWhatItWrote() {
        ImageReference reference = reference("file:///photos/1.jpg");

        byte[] bytes = serde.serializer().serialize(TOPIC, reference);

        assertThat(serde.deserializer().deserialize(TOPIC, bytes)).isEqualTo(reference);
    }

    @Test
    void shouldReadBackBothBranchesOfAUnionOfRecords() {
        AvroSerde<LabelEmbedding> embeddings = new AvroSerde<>(LabelEmbedding.class, registry);
        Label label = new Label("dog", List.of("a {}"), 0.5, LabelState.SHADOW, Map.of("owner", "pets"));
        for (Object content : List.of(
                new EncodedLabel("dog", label, ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), 7L, 0.25f, 0.5f),
                new VocabularyMarker(3, "topic-1", 7L, null))) {
            LabelEmbedding embedding = new LabelEmbedding("fingerprint", 7L, content);

            byte[] bytes = embeddings.serializer().serialize("label-embeddings", embedding);

            assertThat(embeddings.deserializer().deserialize("label-embeddings", bytes))
                    .isEqualTo(embedding);
        }
    }

    @Test
    void shouldTakeNullForNull() {
        assertThat(serde.serializer().serialize(TOPIC, null)).isNull();
        assertThat(serde.deserializer().deserialize(TOPIC, null)).isNull();
    }

    @Test
    void shouldWriteConfluentsWireFormat() throws IOException {
        int id = serde.register(TOPIC);

        byte[] bytes = serde.serializer().serialize(TOPIC, reference("file:///a"));

        assertThat(bytes[0]).isZero();
        assertThat(ByteBuffer.wrap(bytes).getInt(1)).isEqualTo(id);
        GenericRecord read = new GenericDatumReader<GenericRecord>(registry.schemaById(id))
                .read(null, DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, null));
        assertThat(read.get("uri")).hasToString("file:///a");
    }

    @Test
    void shouldSayWhichSchemaItWillAskTheRegistryFor() {
        int id = registry.register("other-value", ImageReference.getClassSchema());
        byte[] bytes = new AvroSerde<>(ImageReference.class, registry)
                .serializer()
                .serialize("elsewhere", reference("file:///a"));
        byte[] foreign = ByteBuffer.wrap(bytes).putInt(1, id).array();

        assertThat(serde.unknownSchema(foreign)).contains(id);
        serde.deserializer().deserialize(TOPIC, foreign);
        assertThat(serde.unknownSchema(foreign)).as("now it is known").isEmpty();
        assertThat(serde.unknownSchema(null)).as("a deletion").isEmpty();
        assertThat(serde.unknownSchema(new byte[] {0, 1})).as("too short").isEmpty();
        assertThat(serde.unknownSchema("{\"uri\": \"a\"}".getBytes(StandardCharsets.UTF_8)))
                .as("not the wire format")
                .isEmpty();
    }

    @Test
    void shouldRegisterTheContractWithoutWhatConcernsJavaAlone() {
        assertThat(ImageReference.getClassSchema().toString()).contains("avro.java.string");

        Schema registered = registry.schemaById(serde.register(TOPIC));

        assertThat(registered.toString()).doesNotContain("avro.java");
        assertThat(registered.getField("uri").schema()).isEqualTo(Schema.create(Schema.Type.STRING));
        assertThat(registered.getField("submittedAt").schema().toString()).contains("timestamp-millis");
        assertThat(registered.getDoc())
                .isEqualTo(ImageReference.getClassSchema().getDoc());
    }

    @Test
    void shouldRegisterUnderTopicNameStrategyAndAskTheRegistryOnce() {
        List<String> subjects = new ArrayList<>();
        AvroSerde<ImageReference> counted = new AvroSerde<>(ImageReference.class, new SchemaRegistry() {
            @Override
            public int register(String subject, Schema schema) {
                subjects.add(subject);
                return registry.register(subject, schema);
            }

            @Override
            public Schema schemaById(int id) {
                subjects.add("id " + id);
                return registry.schemaById(id);
            }

            @Override
            public void close() {}
        });

        int id = counted.register("uploads");
        for (int count = 0; count < 3; count++) {
            byte[] bytes = counted.serializer().serialize("uploads", reference("file:///a"));
            counted.deserializer().deserialize("uploads", bytes);
        }

        assertThat(id).isPositive();
        assertThat(subjects)
                .as("what it wrote itself it reads without the registry")
                .containsExactly("uploads-value");
    }

    @Test
    void shouldResolveAnOlderWritersSchema() throws IOException {
        Schema older = SchemaBuilder.record("ImageReference")
                .namespace("io.tagstream.avro")
                .fields()
                .requiredString("uri")
                .requiredInt("retired")
                .endRecord();
        GenericRecord record = new GenericData.Record(older);
        record.put("uri", "file:///old.jpg");
        record.put("retired", 3);

        ImageReference read = serde.deserializer().deserialize(TOPIC, written(record));

        assertThat(read.getUri()).isEqualTo("file:///old.jpg");
        assertThat(read.getAttributes()).isEmpty();
        assertThat(read.getSubmittedAt()).isNull();
    }

    @Test
    void shouldRefuseAWritersSchemaThatCannotBeResolved() throws IOException {
        Schema other = SchemaBuilder.record("Order")
                .namespace("shop")
                .fields()
                .requiredInt("amount")
                .endRecord();
        GenericRecord record = new GenericData.Record(other);
        record.put("amount", 3);
        byte[] bytes = written(record);

        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, bytes))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("shop.Order")
                .hasMessageContaining("io.tagstream.avro.ImageReference");
    }

    @Test
    void shouldRefuseBytesThatAreNotInTheWireFormat() {
        assertThatThrownBy(() -> serde.deserializer()
                        .deserialize(TOPIC, "{\"uri\":\"file:///a\"}".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("0x7b")
                .hasMessageContaining("JSON?");
        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, new byte[0]))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("0 bytes");
        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, new byte[] {0, 0, 0, 1}))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("too short");
    }

    @Test
    void shouldRefuseAnIdThatTheRegistryDoesNotKnow() {
        byte[] bytes = serde.serializer().serialize(TOPIC, reference("file:///a"));
        ByteBuffer.wrap(bytes).putInt(1, 4711);

        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, bytes))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("4711");
    }

    @Test
    void shouldRefuseEveryTruncationAndTrailingBytes() {
        byte[] bytes = serde.serializer().serialize(TOPIC, reference("file:///photos/1.jpg"));

        for (int length = 0; length < bytes.length; length++) {
            byte[] truncated = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, truncated))
                    .as("%d of %d bytes", length, bytes.length)
                    .isInstanceOf(SerializationException.class);
        }
        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, Arrays.copyOf(bytes, bytes.length + 2)))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("2 bytes after its end");
    }

    @Test
    void shouldRefuseCorruptLengthsWithoutAllocatingThem() throws IOException {
        int id = serde.register(TOPIC);
        for (long length : new long[] {Integer.MAX_VALUE - 100, Long.MAX_VALUE, -5}) {
            byte[] uri = framed(id, encoder -> encoder.writeLong(length));
            byte[] attributes = framed(id, encoder -> {
                encoder.writeString("file:///a");
                encoder.writeIndex(0);
                encoder.writeIndex(0);
                encoder.writeLong(length);
            });
            for (byte[] bytes : List.of(uri, attributes)) {
                assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, bytes))
                        .as("length %d", length)
                        .isInstanceOf(SerializationException.class);
            }
        }
    }

    @Test
    void shouldRefuseAValueThatNestsWithoutEnd() {
        Schema nesting = SchemaBuilder.record("ImageReference")
                .namespace("io.tagstream.avro")
                .fields()
                .name("skipped")
                .type()
                .record("Nest")
                .fields()
                .name("inner")
                .type()
                .unionOf()
                .nullType()
                .and()
                .type("Nest")
                .endUnion()
                .noDefault()
                .endRecord()
                .noDefault()
                .requiredString("uri")
                .endRecord();
        ByteBuffer bytes = ByteBuffer.allocate(1_000_000);
        bytes.put((byte) 0).putInt(registry.register("other-value", nesting));
        while (bytes.hasRemaining()) {
            bytes.put((byte) 2); // the union's second branch: another one inside
        }

        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, bytes.array()))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("nested too deeply");
    }

    @Test
    void shouldNameTheFieldThatAValueLacks() {
        ImageReference incomplete = reference("file:///a");
        incomplete.setUri(null);

        assertThatThrownBy(() -> serde.serializer().serialize(TOPIC, incomplete))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("uri");
    }

    @Test
    void shouldNotBlameTheRecordForAnUnavailableRegistry() {
        AvroSerde<ImageReference> cutOff = new AvroSerde<>(ImageReference.class, new SchemaRegistry() {
            @Override
            public int register(String subject, Schema schema) {
                throw new RegistryUnavailableException("down", null);
            }

            @Override
            public Schema schemaById(int id) {
                throw new RegistryUnavailableException("down", null);
            }

            @Override
            public void close() {}
        });
        byte[] bytes = serde.serializer().serialize(TOPIC, reference("file:///a"));

        assertThatThrownBy(() -> cutOff.deserializer().deserialize(TOPIC, bytes))
                .isInstanceOf(RegistryUnavailableException.class);
        assertThatThrownBy(() -> cutOff.serializer().serialize(TOPIC, reference("file:///a")))
                .isInstanceOf(RegistryUnavailableException.class);
    }

    @Test
    void shouldServeManyThreads() throws Exception {
        int threads = 8;
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Integer>> mismatches = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                String uri = "file:///" + thread;
                mismatches.add(executor.submit(() -> {
                    int wrong = 0;
                    for (int count = 0; count < 2_000; count++) {
                        ImageReference reference = reference(uri + "/" + count);
                        byte[] bytes = serde.serializer().serialize(TOPIC, reference);
                        wrong += serde.deserializer().deserialize(TOPIC, bytes).equals(reference) ? 0 : 1;
                    }
                    return wrong;
                }));
            }
            for (Future<Integer> mismatch : mismatches) {
                assertThat(mismatch.get()).isZero();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    private static ImageReference reference(String uri) {
        return ImageReference.newBuilder()
                .setUri(uri)
                .setContentType("image/jpeg")
                .setAttributes(Map.of("album", "été"))
                .setSubmittedAt(Instant.ofEpochMilli(1_700_000_000_123L))
                .build();
    }

    private byte[] written(GenericRecord record) throws IOException {
        int id = registry.register("other-value", record.getSchema());
        return framed(id, encoder -> new GenericDatumWriter<>(record.getSchema()).write(record, encoder));
    }

    private static byte[] framed(int id, Writing writing) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        writing.to(encoder);
        return bytes.toByteArray();
    }

    private interface Writing {
        void to(BinaryEncoder encoder) throws IOException;
    }
}
