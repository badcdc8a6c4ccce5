/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.api;

import com.fasterxml.jackson.annotation.JsonInclude;
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
record Problem(String type, String title, int status, String detail, String reason) {
    private static final String MEDIA_TYPE = "application/problem+json";

    static Problem of(HttpStatus status, String detail) {
        return new Problem("about:blank", status.getMessage(), status.getCode(), detail, null);
    }

    static void answer(Context request, Problem problem) {
        request.status(problem.status()).contentType(MEDIA_TYPE).result(Json.bytes(problem));
    }
}
