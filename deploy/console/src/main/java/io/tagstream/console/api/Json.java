/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.tagstream.console.search.ImageJson;
import io.tagstream.model.Excerpt;
import java.io.IOException;
import java.util.Optional;
import java.util.stream.Collectors;

/** JSON in requests and answers. */
final class Json {
    private static final String MEDIA_TYPE = "application/json";

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .addModule(ImageJson.times())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private Json() {}

    /**
     * Reads an answer of this API, for clients.
     *
     * @throws IOException if it is not such an answer
     */
    static <T> T read(byte[] json, Class<T> wanted) throws IOException {
        return MAPPER.readValue(json, wanted);
    }

    static byte[] bytes(Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A record of plain values is always JSON", e);
        }
    }

    static void answer(Context request, Object value) {
        request.contentType(MEDIA_TYPE).result(bytes(value));
    }

    /**
     * Reads the request's body.
     *
     * @throws ProblemException if it is not JSON, or not of this type
     */
    static <T> T body(Context request, Class<T> wanted) {
        String mediaType = Optional.ofNullable(request.contentType()).orElse("none");
        int parameters = mediaType.indexOf(';');
        String type = parameters < 0 ? mediaType : mediaType.substring(0, parameters);
        if (!type.strip().equalsIgnoreCase(MEDIA_TYPE)) {
            throw ProblemException.of(
                    HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    "the content type is %s; send %s".formatted(mediaType, MEDIA_TYPE));
        }
        try {
            T value = MAPPER.readValue(request.bodyAsBytes(), wanted);
            if (value == null) {
                throw ProblemException.of(HttpStatus.BAD_REQUEST, "the body is null; send an object");
            }
            return value;
        } catch (IOException e) {
            throw ProblemException.of(HttpStatus.BAD_REQUEST, "the body cannot be read: " + problem(e));
        }
    }

    /** What is wrong, without the parser's words, which name classes. */
    private static String problem(IOException failure) {
        if (failure instanceof UnrecognizedPropertyException unknown) {
            return "the field \"%s\" is unknown; the fields are %s"
                    .formatted(Excerpt.of(field(unknown)), unknown.getKnownPropertyIds());
        }
        if (failure instanceof JsonMappingException mismatch
                && mismatch.getPath().isEmpty()) {
            return "it is JSON, but not an object as the API's description has it";
        }
        if (failure instanceof JsonMappingException mismatch) {
            return "the field \"%s\" has a value of another kind than it needs".formatted(Excerpt.of(field(mismatch)));
        }
        if (failure instanceof JsonProcessingException syntax && syntax.getLocation() != null) {
            return "it is not JSON at line %d, column %d"
                    .formatted(
                            syntax.getLocation().getLineNr(),
                            syntax.getLocation().getColumnNr());
        }
        return "it ended early";
    }

    private static String field(JsonMappingException failure) {
        return failure.getPath().stream()
                .map(step -> step.getFieldName() == null ? Integer.toString(step.getIndex()) : step.getFieldName())
                .collect(Collectors.joining("."));
    }
}
