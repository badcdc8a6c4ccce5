/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.tagstream.avro.ImageReference;
import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** How a line of a list names an image. */
interface ImageLine {
    /** An image's id, and the reference to submit for it. */
    record Named(String id, ImageReference reference) {}

    /**
     * Reads a line.
     *
     * @throws OperatorException of kind INVALID, if it names no image; the message does not say where the line is
     */
    Named read(String line);

    /** Whether the line that showed the form names no image itself. */
    default boolean isHeader() {
        return false;
    }

    /**
     * Returns the form that a list has whose first line is this.
     *
     * @param place where the line is, for the message
     * @throws OperatorException of kind INVALID, if the line is a header that is wrong
     */
    static ImageLine form(String line, String place) {
        if (line.startsWith("{")) {
            return new Json();
        }
        try {
            List<String> columns = Csv.values(line);
            if (columns.stream().anyMatch(Field.URI::isNamed)) {
                return new Csv(columns);
            }
            if (columns.size() > 1 && columns.stream().allMatch(column -> column.matches("[\\w ]*"))) {
                throw OperatorException.invalid(
                        "the header %s has no column uri; add it, with an image's URI or path on each line"
                                .formatted(line));
            }
        } catch (OperatorException e) {
            if (e.getCause() == null) {
                throw OperatorException.invalid(place + ": " + e.getMessage(), e);
            }
        }
        return ImageLine::named;
    }

    /** Returns the image that a URI or a path names. Its id is its URI. */
    static Named named(String uriOrPath) {
        return named(Map.of(Field.URI, uriOrPath), Map.of());
    }

    private static Named named(Map<Field, String> fields, Map<String, String> attributes) {
        String given = fields.getOrDefault(Field.URI, "");
        if (given.isEmpty()) {
            throw OperatorException.invalid("uri is missing; give the image's URI, or the path of its file");
        }
        String uri = ImageList.uri(given);
        String sha256 = fields.get(Field.SHA256);
        if (sha256 != null && !sha256.matches("[0-9A-Fa-f]{64}")) {
            throw OperatorException.invalid(
                    "sha256 is %s, but a SHA-256 has 64 hexadecimal digits; correct it, or leave it out"
                            .formatted(sha256));
        }
        return new Named(
                fields.getOrDefault(Field.ID, uri),
                ImageReference.newBuilder()
                        .setUri(uri)
                        .setContentType(fields.get(Field.CONTENT_TYPE))
                        .setSha256(sha256 == null ? null : sha256.toLowerCase(Locale.ROOT))
                        .setAttributes(attributes)
                        .build());
    }

    /** What a line can say about an image, apart from attributes. */
    enum Field {
        URI("uri"),
        ID("id"),
        CONTENT_TYPE("contentType"),
        SHA256("sha256");

        private final String title;

        Field(String title) {
            this.title = title;
        }

        private boolean isNamed(String column) {
            return title.equalsIgnoreCase(column);
        }

        static String titles() {
            return Arrays.stream(values()).map(field -> field.title).collect(Collectors.joining(", "));
        }
    }

    /** Comma-separated values (RFC 4180). Columns that are no {@link Field} are attributes; empty values say nothing. */
    final class Csv implements ImageLine {
        private static final CSVFormat FORMAT =
                CSVFormat.RFC4180.builder().setTrim(true).get();

        private final List<String> columns;

        Csv(List<String> columns) {
            Set<String> seen = new HashSet<>();
            for (String column : columns) {
                if (column.isEmpty()) {
                    throw OperatorException.invalid("a column has no name; the header is " + columns);
                }
                boolean field = Arrays.stream(Field.values()).anyMatch(known -> known.isNamed(column));
                if (!seen.add(field ? column.toLowerCase(Locale.ROOT) : column)) {
                    throw OperatorException.invalid(
                            "the column %s appears twice".formatted(field ? column.toLowerCase(Locale.ROOT) : column));
                }
            }
            this.columns = columns;
        }

        @Override
        public boolean isHeader() {
            return true;
        }

        /** Returns the values of a line; one that is no CSV causes an exception with a cause. */
        private static List<String> values(String line) {
            try (CSVParser parser = CSVParser.parse(line, FORMAT)) {
                List<CSVRecord> rows = parser.getRecords();
                return rows.get(0).toList();
            } catch (IOException | UncheckedIOException e) {
                throw OperatorException.invalid(
                        "a double quote is not closed, or is inside a value, where it must be written twice", e);
            }
        }

        @Override
        public Named read(String line) {
            List<String> values = values(line);
            if (values.size() != columns.size()) {
                throw OperatorException.invalid("%d values, but the header has %d columns; %s"
                        .formatted(
                                values.size(),
                                columns.size(),
                                values.size() > columns.size()
                                        ? "put values that contain a comma in double quotes"
                                        : "a value may be empty, but its comma is needed"));
            }
            Map<Field, String> fields = new LinkedHashMap<>();
            Map<String, String> attributes = new LinkedHashMap<>();
            for (int i = 0; i < values.size(); i++) {
                String column = columns.get(i);
                String value = values.get(i);
                if (value.isEmpty()) {
                    continue;
                }
                Arrays.stream(Field.values())
                        .filter(field -> field.isNamed(column))
                        .findFirst()
                        .ifPresentOrElse(field -> fields.put(field, value), () -> attributes.put(column, value));
            }
            return named(fields, attributes);
        }
    }

    /** A JSON object with the names of {@link Field}, and {@code attributes}, an object of plain values. */
    final class Json implements ImageLine {
        private static final String ATTRIBUTES = "attributes";
        private static final ObjectMapper MAPPER = JsonMapper.builder()
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();

        @Override
        public Named read(String line) {
            JsonNode object = object(line);
            Map<Field, String> fields = new LinkedHashMap<>();
            Map<String, String> attributes = new LinkedHashMap<>();
            object.properties().forEach(member -> {
                if (member.getKey().equals(ATTRIBUTES)) {
                    if (!member.getValue().isObject()) {
                        throw OperatorException.invalid("attributes must be an object, such as {\"album\": \"birds\"}");
                    }
                    member.getValue()
                            .properties()
                            .forEach(attribute ->
                                    text(attribute).ifPresent(text -> attributes.put(attribute.getKey(), text)));
                } else {
                    Field field = field(member.getKey());
                    text(member).filter(text -> !text.isEmpty()).ifPresent(text -> fields.put(field, text));
                }
            });
            return named(fields, attributes);
        }

        private static JsonNode object(String line) {
            JsonNode read;
            try {
                read = MAPPER.readTree(line);
            } catch (JsonProcessingException e) {
                throw OperatorException.invalid("not JSON: " + e.getOriginalMessage(), e);
            }
            if (!read.isObject()) {
                throw OperatorException.invalid(
                        "not a JSON object, such as {\"uri\": \"https://example.org/heron.jpg\"}");
            }
            return read;
        }

        private static Field field(String name) {
            return Arrays.stream(Field.values())
                    .filter(field -> field.title.equals(name))
                    .findFirst()
                    .orElseThrow(() -> OperatorException.invalid(
                            "unknown name \"%s\"; the known ones are %s and %s, which can have any names in it"
                                    .formatted(name, Field.titles(), ATTRIBUTES)));
        }

        private static Optional<String> text(Map.Entry<String, JsonNode> member) {
            JsonNode value = member.getValue();
            if (value.isContainerNode()) {
                throw OperatorException.invalid("%s must be text, not %s".formatted(member.getKey(), value));
            }
            return value.isNull() ? Optional.empty() : Optional.of(value.asText());
        }
    }
}
