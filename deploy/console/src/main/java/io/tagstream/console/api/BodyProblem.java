/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.HttpStatus;
import io.tagstream.operations.http.Problem;
import io.tagstream.operations.http.UnfitBodyException;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.io.EofException;

/** Failures that the client causes, in a body that is read while the request is being handled. */
final class BodyProblem {
    private BodyProblem() {}

    /**
     * The problem to answer with, if the client caused the failure. Searches all causes, because body parsers wrap read
     * failures.
     */
    static Optional<Problem> of(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .flatMap(cause -> describe(cause).stream())
                .reduce((outer, inner) -> inner);
    }

    private static Optional<Problem> describe(Throwable cause) {
        if (cause instanceof UnfitBodyException unfit) {
            return Optional.of(Problem.of(HttpStatus.forStatus(unfit.getCode()), unfit.getReason()));
        }
        if (cause instanceof EofException) {
            return Optional.of(Problem.of(HttpStatus.BAD_REQUEST, "the body ended before it was complete"));
        }
        if (cause instanceof HttpException unreadable) {
            return Optional.of(
                    Problem.of(HttpStatus.BAD_REQUEST, "the body cannot be read: " + unreadable.getReason()));
        }
        return Optional.empty();
    }
}
