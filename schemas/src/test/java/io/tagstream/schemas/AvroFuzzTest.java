/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Any bytes give a value or a {@link SerializationException}, whatever schema they name: this version's, another
 * contract's, one of writers in other languages, or none. Without JAZZER_FUZZ this runs only over the corpus.
 */
class AvroFuzzTest {
    private static final SchemaRegistry REGISTRY = SchemaRegistries.inMemory();
    private static final AvroSerde<ImageReference> IMAGES = new AvroSerde<>(ImageReference.class, REGISTRY);
    private static final AvroSerde<Label> LABELS = new AvroSerde<>(Label.class, REGISTRY);
    private static final int HEADER = 5;

    /** The schema of an attacker who may register schemas: compatible by name, and as odd as Avro allows. */
    private static final List<String> STRANGE_SCHEMAS = List.of("""
            {"type":"record","name":"ImageReference","namespace":"io.tagstream.avro","fields":[
             {"name":"uri","type":{"type":"array","items":"null"}},
             {"name":"attributes","type":{"type":"map","values":"string"}}]}""", """
            {"type":"record","name":"ImageReference","namespace":"io.tagstream.avro","fields":[
             {"name":"uri","type":"bytes"},
             {"name":"next","type":["null","ImageReference"]},
             {"name":"attributes","type":{"type":"map","values":"bytes"}},
             {"name":"more","type":{"type":"array","items":{"type":"array","items":"null"}}}]}""", """
            {"type":"record","name":"Label","namespace":"io.tagstream.avro","fields":[
             {"name":"name","type":"string"},
             {"name":"prompts","type":{"type":"array","items":"string"}},
             {"name":"state","type":{"type":"enum","name":"LabelState","symbols":["ACTIVE","OTHER"]}},
             {"name":"threshold","type":["null","int","float"]},
             {"name":"attributes","type":{"type":"map","values":"string"}},
             {"name":"fixed","type":{"type":"fixed","name":"Fixed","size":3}}]}""");

    private static final int[] IDS = ids();

    private static int[] ids() {
        Stream<Integer> own = Stream.of(IMAGES.register("images"), LABELS.register("label-vocabulary"));
        Stream<Integer> strange = STRANGE_SCHEMAS.stream()
                .map(schema -> REGISTRY.register("strange-value", new Schema.Parser().parse(schema)));
        return Stream.concat(own, strange).mapToInt(Integer::intValue).toArray();
    }

    static Stream<byte[]> corpus() {
        byte[] image = IMAGES.serializer()
                .serialize(
                        "images",
                        ImageReference.newBuilder()
                                .setUri("https://example.org/heron.jpg")
                                .setContentType("image/jpeg")
                                .setSha256("0".repeat(64))
                                .setAttributes(Map.of("album", "birds", "", "é"))
                                .build());
        byte[] label = LABELS.serializer()
                .serialize(
                        "label-vocabulary",
                        new Label("heron", List.of("a photo of a {}"), 0.5, LabelState.ACTIVE, Map.of("a", "b")));
        Stream<byte[]> whole = Stream.of(
                image,
                label,
                Arrays.copyOf(image, image.length - 7),
                Arrays.copyOf(image, image.length + 1),
                Arrays.copyOf(label, HEADER),
                withBody(IDS[0], -1, -1, -1, -1, 15),
                withBody(IDS[0], 0xFE, 0xFF, 0xFF, 0xFF, 0x0F),
                // a block of 2^31 - 1 nulls, which take no bytes
                withBody(IDS[2], 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0),
                // a block with a negative count and its size, and one with Long.MIN_VALUE
                withBody(IDS[2], 1, 2, 0, 0),
                withBody(IDS[2], 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0),
                withBody(IDS[3], 2, 'a', 2, 2, 'b', 0, 0, 0, 0),
                withBody(IDS[4], 2, 'a', 0, 2, 0, 0, 1, 2, 3),
                withBody(Integer.MAX_VALUE, 0),
                withBody(-1, 0),
                new byte[] {'{', '"', 'u', 'r', 'i', '"'});
        return whole;
    }

    private static byte[] withBody(int id, int... body) {
        ByteBuffer bytes =
                ByteBuffer.allocate(HEADER + body.length).put((byte) 0).putInt(id);
        for (int value : body) {
            bytes.put((byte) value);
        }
        return bytes.array();
    }

    @MethodSource("corpus")
    @FuzzTest(maxDuration = "10s")
    void shouldReadOrRefuse(byte[] bytes) {
        read(IMAGES, bytes);
        read(LABELS, bytes);
        if (bytes.length >= HEADER) {
            // most ids are not registered, and nothing can be learned from them
            byte[] known = bytes.clone();
            ByteBuffer.wrap(known).put((byte) 0).putInt(IDS[Math.floorMod(bytes[HEADER - 1], IDS.length)]);
            read(IMAGES, known);
            read(LABELS, known);
        }
    }

    private static void read(AvroSerde<?> serde, byte[] bytes) {
        try {
            assertThat((Object) serde.deserializer().deserialize("topic", bytes))
                    .isNotNull();
        } catch (SerializationException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }
}
