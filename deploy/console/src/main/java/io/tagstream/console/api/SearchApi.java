/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.tagstream.console.search.ImageDocument;
import io.tagstream.console.search.ImageFilter;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.model.LabelTextException;
import io.tagstream.topology.query.SimilarImage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds images by words: in their tags and attributes, or by what the model sees in them. */
final class SearchApi {
    /** How many of the most similar images are checked against the filters. */
    private static final int SIMILAR_LOOKED_AT = 1_000;

    private final LateServices late;

    SearchApi(LateServices late) {
        this.late = late;
    }

    void register(ApiRoutes routes) {
        routes.get("/api/search", this::search);
    }

    private void search(Context request) throws LabelTextException {
        String text = Parameters.text(request, "q").orElseThrow(() -> Parameters.wrong("q", "", "a search text"));
        String by = Parameters.text(request, "by").orElse("words");
        switch (by) {
            case "words" -> byWords(request, text);
            case "likeness" -> byLikeness(request, text);
            default -> throw Parameters.wrong("by", by, "words or likeness");
        }
    }

    private void byWords(Context request, String text) {
        SearchIndex search = late.search();
        ImageFilter filter = Parameters.filter(request).withText(Optional.of(text));
        int limit = Parameters.limit(request);
        try {
            ImagesApi.answer(request, search.best(filter, limit, Parameters.after(request)));
        } catch (IllegalArgumentException e) {
            throw ImagesApi.badCursor(request);
        }
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Found(@JsonUnwrapped ImageDocument image, double similarity) {}

    /** Answers one page only: images after the most similar ones are not similar. */
    private void byLikeness(Context request, String text) throws LabelTextException {
        SearchIndex search = late.search();
        ImageFilter filter = Parameters.filter(request);
        int limit = Parameters.limit(request);
        if (Parameters.after(request).isPresent()) {
            throw ProblemException.of(
                    HttpStatus.BAD_REQUEST, "after: by=likeness has only one page; raise limit instead");
        }
        boolean filtered = !filter.equals(ImageFilter.NONE);
        Map<String, Double> similarities = new LinkedHashMap<>();
        for (SimilarImage similar : late.queries().similar(text, filtered ? SIMILAR_LOOKED_AT : limit)) {
            similarities.put(similar.imageId(), similar.similarity());
        }
        List<Found> found = search.find(similarities.keySet(), filter).stream()
                .limit(limit)
                .map(image -> new Found(image, similarities.get(image.id())))
                .toList();
        Json.answer(request, new Page<>(found, found.size(), null));
    }
}
