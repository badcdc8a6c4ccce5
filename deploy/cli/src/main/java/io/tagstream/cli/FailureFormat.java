/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.cluster.failures.DeadLetter;
import io.tagstream.cluster.failures.FailedImage;

/** Formats a failure as one line, without the line break. Stateless and thread-safe. */
public enum FailureFormat {
    /** For people: when, what, why, where, after how many attempts, and the message. */
    TEXT {
        @Override
        public String line(FailedImage failed) {
            ImageFailure failure = failed.failure();
            return Printable.of("%s  %s  %s  %s  %s: %s"
                    .formatted(
                            failure.getFailedAt(),
                            failed.imageId(),
                            failure.getReason(),
                            failed.origin(),
                            failure.getAttempts() == 1 ? "1 attempt" : failure.getAttempts() + " attempts",
                            failure.getMessage()));
        }

        @Override
        public String line(DeadLetter letter) {
            return Printable.of("%s  %s  %s: %s"
                    .formatted(
                            letter.writtenAt(),
                            letter.keyText() == null ? "no key" : letter.keyText(),
                            letter.origin(),
                            letter.reason().message()));
        }
    },

    /** For programs: a JSON object. */
    JSON {
        @Override
        public String line(FailedImage failed) {
            ImageFailure failure = failed.failure();
            RecordOrigin origin = failure.getOrigin();
            ObjectNode line = MAPPER.createObjectNode()
                    .put("imageId", failed.imageId())
                    .put("uri", failure.getReference().getUri())
                    .put("reason", failure.getReason().name())
                    .put("message", failure.getMessage())
                    .put("attempts", failure.getAttempts())
                    .put("failedAt", failure.getFailedAt().toString())
                    .put("truncated", failure.getTruncated());
            line.putObject("origin")
                    .put("topic", origin.getTopic())
                    .put("partition", origin.getPartition())
                    .put("offset", origin.getOffset());
            return written(line);
        }

        @Override
        public String line(DeadLetter letter) {
            return written(MAPPER.createObjectNode()
                    .put("key", letter.keyText())
                    .put("bytes", Math.max(0, letter.found().serializedValueSize()))
                    .put("exception", letter.reason().exception())
                    .put("message", letter.reason().message())
                    .put("writtenAt", letter.writtenAt().toString())
                    .put("origin", letter.origin())
                    .put("deadLetter", letter.position()));
        }
    };

    private static final ObjectMapper MAPPER = new ObjectMapper();

    public abstract String line(FailedImage failed);

    public abstract String line(DeadLetter letter);

    private static String written(ObjectNode line) {
        try {
            return MAPPER.writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A tree of plain values is always JSON", e);
        }
    }
}
