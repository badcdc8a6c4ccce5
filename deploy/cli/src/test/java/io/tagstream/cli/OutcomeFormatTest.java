/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.avro.Cause;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Model;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.outcomes.ImageOutcome;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutcomeFormatTest {
    private static final ImageOutcome TAGGED = new ImageOutcome.Tagged(
            "pets/cat.jpg",
            TagEvent.newBuilder()
                    .setUri("file:///pets/cat.jpg")
                    .setSha256("0".repeat(64))
                    .setWidth(640)
                    .setHeight(480)
                    .setTags(List.of(new Tag("cat", "house cat", 0.96875f, 0.5f), new Tag("pet", "pet", 0.5f, 0.5f)))
                    .setModel(new Model("everyday", "1.0.0+cpu.fp32"))
                    .setVocabularyEpoch(41)
                    .setCause(Cause.NEW_IMAGE)
                    .setTaggedAt(Instant.EPOCH)
                    .build());
    private static final ImageOutcome FAILED = new ImageOutcome.Failed(
            "a\nb.jpg",
            ImageFailure.newBuilder()
                    .setReference(ImageReference.newBuilder()
                            .setUri("file:///a%0Ab.jpg")
                            .build())
                    .setReason(ImageFailureReason.CORRUPT_IMAGE)
                    .setMessage("cut\nshort")
                    .setAttempts(1)
                    .setFailedAt(Instant.EPOCH)
                    .setOrigin(new RecordOrigin("images", 0, 7L))
                    .build());

    @Test
    void shouldWriteTagsAsJson() throws Exception {
        assertJson(
                TAGGED,
                "{'imageId':'pets/cat.jpg','uri':'file:///pets/cat.jpg',"
                        + "'tags':[{'labelId':'cat','name':'house cat','score':0.96875},"
                        + "{'labelId':'pet','name':'pet','score':0.5}],"
                        + "'width':640,'height':480,'vocabularyEpoch':41,'model':'everyday@1.0.0+cpu.fp32'}");
    }

    @Test
    void shouldWriteAFailureAsJson() throws Exception {
        assertJson(
                FAILED,
                "{'imageId':'a\\nb.jpg','uri':'file:///a%0Ab.jpg',"
                        + "'failure':{'reason':'CORRUPT_IMAGE','message':'cut\\nshort'}}");
    }

    @Test
    void shouldWriteADeletionAsJson() throws Exception {
        assertJson(
                new ImageOutcome.Deleted("cat.jpg", "file:///cat.jpg"),
                "{'imageId':'cat.jpg','uri':'file:///cat.jpg','deleted':true}");
    }

    @Test
    void shouldWriteOneLineForPeople() {
        assertThat(OutcomeFormat.TEXT.line(TAGGED)).isEqualTo("pets/cat.jpg  house cat 0.97, pet 0.50");
        assertThat(OutcomeFormat.TEXT.line(FAILED)).isEqualTo("a?b.jpg  failed, CORRUPT_IMAGE: cut?short");
    }

    private static void assertJson(ImageOutcome outcome, String expected) throws Exception {
        String line = OutcomeFormat.JSON.line(outcome);
        assertThat(line).doesNotContain("\n");
        ObjectMapper mapper = new ObjectMapper();
        assertThat(mapper.readTree(line)).isEqualTo(mapper.readTree(expected.replace('\'', '"')));
    }
}
