/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.tagstream.cluster.PointInTime;
import io.tagstream.console.search.ImageFilter;
import io.tagstream.topology.query.ImageQueries;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalDouble;

/** Reads query parameters; an invalid one is a problem that names it. */
final class Parameters {
    private static final int DEFAULT_LIMIT = 50;
    private static final int LARGEST_LIMIT = 500;

    private Parameters() {}

    static ImageFilter filter(Context request) {
        return new ImageFilter(
                request.queryParams("label").stream()
                        .filter(label -> !label.isEmpty())
                        .toList(),
                score(request, "minScore"),
                since(request),
                text(request, "text"));
    }

    static int limit(Context request) {
        return limit(request, DEFAULT_LIMIT);
    }

    static int limit(Context request, int byDefault) {
        Optional<String> given = text(request, "limit");
        try {
            int limit = given.map(Integer::parseInt).orElse(byDefault);
            if (limit < 1 || limit > LARGEST_LIMIT) {
                throw wrong("limit", given.orElse(""), "a number from 1 to " + LARGEST_LIMIT);
            }
            return limit;
        } catch (NumberFormatException e) {
            throw wrong("limit", given.orElse(""), "a number from 1 to " + LARGEST_LIMIT);
        }
    }

    static Optional<String> after(Context request) {
        return text(request, "after");
    }

    static Optional<String> text(Context request, String name) {
        return Optional.ofNullable(request.queryParam(name)).filter(text -> !text.isBlank());
    }

    private static OptionalDouble score(Context request, String name) {
        Optional<String> given = text(request, name);
        if (given.isEmpty()) {
            return OptionalDouble.empty();
        }
        try {
            double score = Double.parseDouble(given.get());
            if (score >= 0 && score <= 1) {
                return OptionalDouble.of(score);
            }
        } catch (NumberFormatException e) {
            throw wrong(name, given.get(), "a score from 0 to 1");
        }
        throw wrong(name, given.get(), "a score from 0 to 1");
    }

    private static Optional<Instant> since(Context request) {
        try {
            return text(request, "since").map(text -> PointInTime.parse(text, Instant.now()));
        } catch (IllegalArgumentException e) {
            throw ProblemException.of(HttpStatus.BAD_REQUEST, "since=" + e.getMessage());
        }
    }

    static ProblemException wrong(String name, String value, String wanted) {
        return ProblemException.of(HttpStatus.BAD_REQUEST, "%s=%s: must be %s".formatted(name, value, wanted));
    }

    /** Which instances to ask: all of them, or, if the parameter {@code scope} is {@code instance}, only this one. */
    static ImageQueries scoped(Context request, ImageQueries everyone) {
        return ofThisInstance(request) ? everyone.ofThisInstance() : everyone;
    }

    /** Whether only this instance is asked, whose answer another one adds to its own. */
    static boolean ofThisInstance(Context request) {
        String scope = text(request, "scope").orElse("all");
        return switch (scope) {
            case "all" -> false;
            case "instance" -> true;
            default -> throw wrong("scope", scope, "all or instance");
        };
    }
}
