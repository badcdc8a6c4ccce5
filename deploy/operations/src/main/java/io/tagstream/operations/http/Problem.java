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
 * What went wrong, as RFC 9457 has it.
 *
 * @param title the status in words
 * @param detail what failed, with which value, what to change
 * @param reason for programs, where there is more than the status tells; else null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Problem(String type, String title, int status, String detail, String reason) {
    /** Of what {@link #json} makes. */
    public static final String MEDIA_TYPE = "application/problem+json";

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A problem that its status tells.
     *
     * @param detail what failed, with which value, what to change
     */
    public static Problem of(HttpStatus status, String detail) {
        return new Problem("about:blank", status.getMessage(), status.getCode(), detail, null);
    }

    /** Answers a request with it. */
    public static void answer(Context request, Problem problem) {
        request.status(problem.status()).contentType(MEDIA_TYPE).result(problem.json());
    }

    /** As it is sent. */
    public byte[] json() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A record of plain values is always JSON", e);
        }
    }
}
