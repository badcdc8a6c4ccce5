/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.RecordLimit;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RequirementTest {
    private static final RecordLimit LIMIT = new RecordLimit(1_000_000);
    private static final Map<String, String> COMPACTED = Map.of("cleanup.policy", "compact");
    private static final Requirement TAGS = new Requirement(TagstreamConfig.TAGS_TOPIC, "tags", 6, false, COMPACTED);
    private static final Requirement LABELS =
            new Requirement(TagstreamConfig.LABELS_TOPIC, "labels", 1, true, COMPACTED);

    @Test
    void shouldAcceptATopicThatIsAsNeeded() {
        Map<String, String> found = Map.of("cleanup.policy", "compact", "max.message.bytes", "1000000");

        assertThat(TAGS.misfit(3, Optional.of(found), LIMIT)).isEmpty();
        assertThat(LABELS.misfit(1, Optional.of(found), LIMIT)).isEmpty();
    }

    @Test
    void shouldRefuseATopicThatTakesLessThanItsProducer() {
        Map<String, String> found = Map.of("cleanup.policy", "compact", "max.message.bytes", "999999");

        assertThat(TAGS.misfit(6, Optional.of(found), LIMIT))
                .hasValueSatisfying(misfit -> assertThat(misfit)
                        .contains("tags has max.message.bytes=999999", "1000012 or more", "to 999999 or less"));
    }

    @Test
    void shouldLeaveTheSizeOfOthersRecordsToThem() {
        Map<String, String> found = Map.of("cleanup.policy", "compact", "max.message.bytes", "1");

        assertThat(LABELS.misfit(1, Optional.of(found), LIMIT)).isEmpty();
    }

    @Test
    void shouldRefuseATopicWhoseRecordsExpire() {
        assertThat(TAGS.misfit(6, Optional.of(Map.of("cleanup.policy", "compact,delete")), LIMIT))
                .hasValueSatisfying(misfit -> assertThat(misfit).contains("cleanup.policy=compact,delete"));
    }

    @Test
    void shouldRefuseOtherPartitionsWhereTheOrderOfRecordsMatters() {
        assertThat(LABELS.misfit(2, Optional.empty(), LIMIT))
                .hasValueSatisfying(misfit -> assertThat(misfit).contains("labels has 2 partitions", "exactly 1"));
    }

    @Test
    void shouldNotJudgeSettingsThatMayNotBeRead() {
        assertThat(TAGS.misfit(6, Optional.empty(), LIMIT)).isEmpty();
    }
}
