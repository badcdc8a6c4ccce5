/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.Model;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagEvent;
import io.tagstream.cluster.outcomes.ImageOutcome;
import java.util.Locale;
import java.util.stream.Collectors;

/** Formats an outcome as one line, without the line break. Stateless and thread-safe. */
public enum OutcomeFormat {
    /** For people: {@code cat.jpg  cat 0.97, animal 0.81}. */
    TEXT {
        @Override
        public String line(ImageOutcome outcome) {
            if (outcome instanceof ImageOutcome.Tagged tagged) {
                return Printable.of(tagged.imageId()) + "  " + tags(tagged.event());
            } else if (outcome instanceof ImageOutcome.Failed failed) {
                return "%s  failed, %s: %s"
                        .formatted(
                                Printable.of(failed.imageId()),
                                failed.failure().getReason(),
                                Printable.of(failed.failure().getMessage()));
            }
            return Printable.of(outcome.imageId()) + "  deleted";
        }
    },

    /**
     * For programs, a JSON object: {@code imageId} and {@code uri}, and either {@code tags} (best first), {@code width},
     * {@code height}, {@code vocabularyEpoch} and {@code model}, or {@code failure}, or {@code "deleted": true}.
     */
    JSON {
        @Override
        public String line(ImageOutcome outcome) {
            ObjectNode line = MAPPER.createObjectNode();
            line.put("imageId", outcome.imageId());
            line.put("uri", outcome.uri());
            if (outcome instanceof ImageOutcome.Tagged tagged) {
                putTags(line, tagged.event());
            } else if (outcome instanceof ImageOutcome.Failed failed) {
                ImageFailure failure = failed.failure();
                line.putObject("failure")
                        .put("reason", failure.getReason().name())
                        .put("message", failure.getMessage());
            } else {
                line.put("deleted", true);
            }
            try {
                return MAPPER.writeValueAsString(line);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("A tree of plain values is always JSON", e);
            }
        }
    };

    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Returns the outcome's line, which has no line break anywhere. */
    public abstract String line(ImageOutcome outcome);

    private static String tags(TagEvent event) {
        if (event.getTags().isEmpty()) {
            return "no tags";
        }
        return event.getTags().stream()
                .map(tag -> "%s %s".formatted(Printable.of(tag.getName()), score(tag.getScore())))
                .collect(Collectors.joining(", "));
    }

    private static String score(float score) {
        return String.format(Locale.ROOT, "%.2f", score);
    }

    private static void putTags(ObjectNode line, TagEvent event) {
        ArrayNode tags = line.putArray("tags");
        for (Tag tag : event.getTags()) {
            tags.addObject()
                    .put("labelId", tag.getLabelId())
                    .put("name", tag.getName())
                    .put("score", tag.getScore());
        }
        Model model = event.getModel();
        line.put("width", event.getWidth())
                .put("height", event.getHeight())
                .put("vocabularyEpoch", event.getVocabularyEpoch())
                .put("model", model.getId() + "@" + model.getVersion());
    }
}
