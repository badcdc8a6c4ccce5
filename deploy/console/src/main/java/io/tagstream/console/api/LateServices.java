/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.HttpStatus;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.topology.query.ImageQueries;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** The services, once they are ready: the server listens earlier. */
final class LateServices {
    private final AtomicReference<ApiServices> services = new AtomicReference<>();

    void set(ApiServices present) {
        services.set(present);
    }

    /** The services, if they are ready. */
    Optional<ApiServices> find() {
        return Optional.ofNullable(services.get());
    }

    /** @throws ProblemException if they are not ready yet */
    ApiServices get() {
        return find().orElseThrow(() -> ProblemException.of(
                HttpStatus.SERVICE_UNAVAILABLE, "Tagstream is starting; try again when /health/ready says ready"));
    }

    SearchIndex search() {
        return get().search()
                .orElseThrow(() -> ProblemException.of(
                        HttpStatus.NOT_IMPLEMENTED,
                        "this instance has no search index; set search.enabled=true to keep one"));
    }

    ImageQueries queries() {
        return get().queries()
                .orElseThrow(() -> ProblemException.of(
                        HttpStatus.NOT_IMPLEMENTED, "this instance keeps no image data that could answer this"));
    }
}
