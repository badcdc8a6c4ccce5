/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.strimzi.api.kafka.model.topic.KafkaTopic;
import io.strimzi.api.kafka.model.user.KafkaUser;
import java.util.Map;

/** Reads objects from standard input, and fails if a KafkaTopic or KafkaUser has a field that Strimzi does not know. */
public final class CheckStrimzi {
    private static final Map<String, Class<?>> TYPES = Map.of("KafkaTopic", KafkaTopic.class, "KafkaUser", KafkaUser.class);

    /** Strimzi's types keep unknown fields; without that, they are errors. */
    private static final class Strict extends JacksonAnnotationIntrospector {
        private static final long serialVersionUID = 1;

        @Override
        public Boolean hasAnySetter(Annotated annotated) {
            return false;
        }
    }

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new YAMLMapper()
                .setAnnotationIntrospector(new Strict())
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        int read = 0;
        try (MappingIterator<JsonNode> objects = mapper.readerFor(JsonNode.class).readValues(System.in)) {
            while (objects.hasNext()) {
                JsonNode object = objects.next();
                Class<?> type = TYPES.get(object.path("kind").asText());
                if (type != null) {
                    mapper.treeToValue(object, type);
                    read++;
                }
            }
        }
        if (read == 0) {
            throw new IllegalArgumentException("there is no KafkaTopic or KafkaUser");
        }
        System.out.println(read + " objects of Strimzi, every field known");
    }
}
