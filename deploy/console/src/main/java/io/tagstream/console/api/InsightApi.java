/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.tagstream.console.live.CurrentFailure;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Why an image has its tags, how far images have caught up with the vocabulary, what failed, and what the instance is
 * doing.
 */
final class InsightApi {
    private final LateServices late;

    InsightApi(LateServices late) {
        this.late = late;
    }

    void register(ApiRoutes routes) {
        routes.get("/api/explain/{id}", this::explain)
                .get(
                        "/api/progress",
                        request -> Json.answer(
                                request,
                                Parameters.scoped(request, late.queries()).progress()))
                .get("/api/failures", this::failures)
                .get(
                        "/api/status",
                        request -> Json.answer(request, late.get().status().get()));
    }

    private void explain(Context request) {
        String id = request.pathParam("id");
        Json.answer(
                request,
                Parameters.scoped(request, late.queries())
                        .explain(id)
                        .orElseThrow(() ->
                                ProblemException.of(HttpStatus.NOT_FOUND, "there is no image \"%s\"".formatted(id))));
    }

    private void failures(Context request) {
        Optional<String> reason = Parameters.text(request, "reason").map(text -> text.toUpperCase(Locale.ROOT));
        List<CurrentFailure> wanted = late.get().views().failures().newest().stream()
                .filter(failure -> reason.isEmpty() || failure.reason().equals(reason.get()))
                .toList();
        Json.answer(
                request,
                Page.of(
                        wanted,
                        CurrentFailure::imageId,
                        Parameters.after(request).orElse(null),
                        Parameters.limit(request)));
    }
}
