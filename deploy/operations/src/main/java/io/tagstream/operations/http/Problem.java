/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;

/**
 * A description of what went wrong, as in RFC 9457.
 *
 * @param title the status in words
 * @param detail what failed, with which value, and what to change
 * @param reason for programs, if there is more to say than the status does; otherwise null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Problem(String type, String title, int status, String detail, String reason) {
    /** The media type of {@link #json}. */
    public static final String MEDIA_TYPE = "application/problem+json";

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Creates a problem that its status fully identifies.
     *
     * @param detail what failed, with which value, and what to change
     */
    public static Problem of(HttpStatus status, String detail) {
        return new Problem("about:blank", status.getMessage(), status.getCode(), detail, null);
    }

    /** Answers a request with a problem. */
    public static void answer(Context request, Problem problem) {
        request.status(problem.status()).contentType(MEDIA_TYPE).result(problem.json());
    }

    /** The JSON to send. */
    public byte[] json() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A record of plain values is always JSON", e);
        }
    }
}
