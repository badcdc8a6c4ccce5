/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.Cause;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.topology.FakeModelRuntime;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KeyValue;
import org.junit.jupiter.api.Test;

/** What a task writes again when topics are other ones than those that it has written to. */
class RewritingTest {
    private static final String APPLICATION = "tagstream";

    private final TaggingHarness harness = new TaggingHarness();

    /** Notes what the topics are, as often as it takes a task to believe it, and lets tasks act on it. */
    private void look(String tags, String pending, String images) {
        for (int look = 0; look < 2; look++) {
            harness.identities.found(new TopicPartition("tags", 0), tags, 0);
            harness.identities.found(changelog(TaggingTopology.PENDING_STORE), pending, 0);
            harness.identities.found(changelog(TaggingTopology.IMAGE_META_STORE), images, 0);
            harness.identities.looked();
        }
        harness.sweep();
    }

    private static TopicPartition changelog(String store) {
        return new TopicPartition(TaggingTopology.changelog(APPLICATION, store), 0);
    }

    /** The images whose tags were written, with their labels. */
    private List<String> written() {
        List<String> written = new ArrayList<>();
        for (KeyValue<String, TagEvent> event : harness.tags.readKeyValuesToList()) {
            written.add(event.key
                    + event.value.getTags().stream().map(Tag::getLabelId).toList());
        }
        return written;
    }

    private void tagTwo() {
        harness.add("dog");
        harness.mark();
        harness.tag("a", "fake:dog");
        harness.tag("b", "fake:cat");
        look("tags-1", "pending-1", "images-1");
        assertThat(written()).as("once").containsExactly("a[dog]", "b[]");
        harness.changelog(TaggingTopology.IMAGE_META_STORE);
    }

    @Test
    void shouldWriteTheTagsOfKnownImagesAgainOnce() {
        tagTwo();
        look("tags-2", "pending-1", "images-1");
        List<KeyValue<String, TagEvent>> again = harness.tags.readKeyValuesToList();
        assertThat(again).extracting(event -> event.key).containsExactly("a", "b");
        TagEvent event = again.get(0).value;
        assertThat(event.getTags()).extracting(Tag::getLabelId).containsExactly("dog");
        assertThat(event.getUri()).isEqualTo("fake:dog");
        assertThat(event.getCause()).isEqualTo(Cause.NEW_IMAGE);
        assertThat(event.getVocabularyEpoch()).isPositive();
        assertThat(harness.changes.readKeyValuesToList())
                .extracting(change -> change.key)
                .containsExactly("a");

        look("tags-2", "pending-1", "images-1");
        assertThat(written()).isEmpty();
        assertThat(harness.changelog(TaggingTopology.IMAGE_META_STORE)).isEmpty();
    }

    @Test
    void shouldNotWriteTagsAgainThatItHasWrittenSinceItStarted() {
        tagTwo();
        harness.restart(FakeModelRuntime.manual(1_000));
        harness.tag("c", "fake:dog");
        assertThat(written()).containsExactly("c[dog]");

        look("tags-2", "pending-1", "images-1");
        assertThat(written()).containsExactly("a[dog]", "b[]");
        look("tags-3", "pending-1", "images-1");
        assertThat(written()).containsExactly("a[dog]", "b[]", "c[dog]");
    }

    @Test
    void shouldWriteKnownImagesAgainToTheirChangelog() {
        tagTwo();
        look("tags-1", "pending-1", "images-2");
        assertThat(harness.changelog(TaggingTopology.IMAGE_META_STORE)).hasSize(2);
        assertThat(written()).isEmpty();

        look("tags-1", "pending-1", "images-2");
        assertThat(harness.changelog(TaggingTopology.IMAGE_META_STORE)).isEmpty();
    }

    @Test
    void shouldWriteImagesAgainThatAwaitTheirOutcome() {
        tagTwo();
        harness.submit("c", "fake:dog");
        harness.submit("d", "fake:dog");
        harness.step();
        harness.changelog(TaggingTopology.PENDING_STORE);
        for (int look = 0; look < 2; look++) {
            harness.identities.found(changelog(TaggingTopology.PENDING_STORE), "pending-2", 0);
            harness.identities.looked();
        }
        harness.step();
        harness.step();
        assertThat(harness.changelog(TaggingTopology.PENDING_STORE)).hasSize(2).allMatch(entry -> entry.value != null);
    }
}
