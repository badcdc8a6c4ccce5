/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.HttpStatus;
import io.tagstream.operations.http.Problem;

/** An answer other than success. */
public final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    private ProblemException(Problem problem) {
        super(problem.detail(), null, false, false); // an answer, not a fault: nobody needs its stack trace
        this.problem = problem;
    }

    /**
     * An answer with a status.
     *
     * @param detail what failed, with which value, and what to change
     */
    public static ProblemException of(HttpStatus status, String detail) {
        return new ProblemException(Problem.of(status, detail));
    }

    /**
     * An answer with a status and a reason.
     *
     * @param reason what failed, for programs
     */
    static ProblemException of(HttpStatus status, String detail, String reason) {
        return new ProblemException(new Problem("about:blank", status.getMessage(), status.getCode(), detail, reason));
    }

    Problem problem() {
        return problem;
    }
}
