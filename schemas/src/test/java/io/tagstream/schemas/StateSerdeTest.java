/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.RecordHeader;
import io.tagstream.avro.state.Refusal;
import io.tagstream.avro.state.TaskProgress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;

class StateSerdeTest {
    private static final String TOPIC = "tagstream-pending-changelog";

    private final StateSerde<PendingImage> serde = new StateSerde<>(PendingImage.class);

    @Test
    void shouldReadBackWhatItWrote() {
        PendingImage pending = pending();

        byte[] bytes = serde.serializer().serialize(TOPIC, pending);

        assertThat(serde.deserializer().deserialize(TOPIC, bytes)).isEqualTo(pending);
    }

    @Test
    void shouldTakeNullForNull() {
        assertThat(serde.serializer().serialize(TOPIC, null)).isNull();
        assertThat(serde.deserializer().deserialize(TOPIC, null)).isNull();
    }

    @Test
    void shouldSpeakAvrosSingleObjectEncoding() throws IOException {
        PendingImage pending = pending();
        byte[] bytes = serde.serializer().serialize(TOPIC, pending);

        assertThat(PendingImage.getDecoder().decode(bytes)).isEqualTo(pending);
        assertThat(bytes).isEqualTo(array(PendingImage.getEncoder().encode(pending)));
    }

    @Test
    void shouldReadStateThatAnEarlierSchemaWrote() throws IOException {
        Schema earlier;
        try (InputStream stream = TaskProgress.class.getResourceAsStream("earlier/TaskProgress-3.avsc")) {
            earlier = new Schema.Parser().parse(stream);
        }
        GenericRecord record = new GenericData.Record(earlier);
        record.put("vocabularyEpoch", 17L);
        record.put("retired", "gone");
        record.put("modelGeneration", 3L);
        byte[] bytes = array(new BinaryMessageEncoder<GenericRecord>(GenericData.get(), earlier).encode(record));

        assertThat(new StateSerde<>(TaskProgress.class).deserializer().deserialize(TOPIC, bytes))
                .isEqualTo(new TaskProgress(17L, 0L));
    }

    @Test
    void shouldRefuseBytesOfAnotherSchema() {
        byte[] bytes = new StateSerde<>(TaskProgress.class).serializer().serialize(TOPIC, new TaskProgress(1L, 1L));

        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, bytes))
                .isInstanceOf(UnknownStateException.class)
                .hasMessageContaining("fingerprint")
                .hasMessageContaining("PendingImage")
                .hasMessageContaining("newer version");
    }

    @Test
    void shouldTellItsOwnBytesFromOthers() {
        byte[] own = serde.serializer().serialize(TOPIC, pending());
        byte[] other = new StateSerde<>(TaskProgress.class).serializer().serialize(TOPIC, new TaskProgress(1L, 1L));

        assertThat(serde.isOfThisClass(own)).isTrue();
        assertThat(serde.isOfThisClass(other)).isFalse();
        assertThat(serde.isOfThisClass(new byte[3])).isFalse();
        assertThat(serde.isOfThisClass(new byte[30])).isFalse();
    }

    @Test
    void shouldRefuseEveryTruncationAndTrailingBytes() {
        byte[] bytes = serde.serializer().serialize(TOPIC, pending());

        for (int length = 0; length < bytes.length; length++) {
            byte[] truncated = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, truncated))
                    .as("%d of %d bytes", length, bytes.length)
                    .isInstanceOf(SerializationException.class);
        }
        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, Arrays.copyOf(bytes, bytes.length + 1)))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("1 bytes after its end");
    }

    private static byte[] array(ByteBuffer buffer) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(buffer.array(), buffer.arrayOffset() + buffer.position(), buffer.remaining());
        return bytes.toByteArray();
    }

    private static PendingImage pending() {
        return new PendingImage(
                "image-1",
                ImageReference.newBuilder()
                        .setUri("file:///a.jpg")
                        .setAttributes(Map.of("album", "2026"))
                        .build(),
                new RecordOrigin("images", 2, 42L),
                1_700_000_000_000L,
                List.of(new RecordHeader("trace", ByteBuffer.wrap(new byte[] {1, 2})), new RecordHeader("empty", null)),
                new Refusal(ImageFailureReason.RECORD_TOO_LARGE, "too large"));
    }
}
