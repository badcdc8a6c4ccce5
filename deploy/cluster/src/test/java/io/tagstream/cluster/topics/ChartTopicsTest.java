/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.topics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The topics that the chart creates are those that Tagstream would create. */
class ChartTopicsTest {
    private static final Path TOPICS = Path.of("..", "chart", "files", "topics.yaml");
    /** A number of partitions that stands for {@code topics.partitions}. */
    private static final int PARTITIONS = 7;

    private record Topic(String name, String partitions, Map<String, String> config) {}

    @Test
    void shouldBeTheTopicsThatTagstreamCreates() throws Exception {
        Map<String, Topic> topics = new YAMLMapper().readValue(TOPICS.toFile(), new TypeReference<>() {});
        TagstreamConfig config = new TagstreamConfig(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "nowhere:1",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1",
                TopicKeys.TOPICS_PARTITIONS,
                PARTITIONS));
        List<Requirement> requirements = TopicProvisioner.requirements(config);

        assertThat(topics).hasSameSizeAs(requirements);
        assertThat(requirements).allSatisfy(requirement -> {
            String partitions =
                    requirement.partitions() == PARTITIONS ? "images" : Integer.toString(requirement.partitions());
            assertThat(topics.get(requirement.key()))
                    .isEqualTo(new Topic(requirement.topic(), partitions, requirement.settings()));
        });
    }
}
