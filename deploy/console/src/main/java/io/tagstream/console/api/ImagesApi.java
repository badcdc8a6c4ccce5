/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.javalin.http.UploadedFile;
import io.tagstream.console.images.ImageIntake;
import io.tagstream.console.search.ImageDocument;
import io.tagstream.console.search.ImagePage;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.ImageSources;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Images: lists, single images, thumbnails, and submissions. */
final class ImagesApi {
    private static final int MOST_FILES = 50;
    private static final String LARGE_FILE = "submit a smaller file, or raise decode.max.bytes";

    private final LateServices late;

    ImagesApi(LateServices late) {
        this.late = late;
    }

    void register(ApiRoutes routes) {
        routes.get("/api/images", this::list)
                .post("/api/images", this::submit)
                .get("/api/images/{id}", this::image)
                .get("/api/images/{id}/thumbnail", this::thumbnail);
    }

    private void list(Context request) {
        SearchIndex search = late.search();
        int limit = Parameters.limit(request);
        try {
            answer(request, search.newest(Parameters.filter(request), limit, Parameters.after(request)));
        } catch (IllegalArgumentException e) {
            throw badCursor(request);
        }
    }

    static ProblemException badCursor(Context request) {
        return Parameters.wrong("after", request.queryParam("after"), "the value of next from the previous page");
    }

    static void answer(Context request, ImagePage page) {
        Json.answer(request, new Page<>(page.images(), page.total(), page.next().orElse(null)));
    }

    private void image(Context request) {
        Json.answer(request, known(request));
    }

    private ImageDocument known(Context request) {
        String id = request.pathParam("id");
        return late.search()
                .find(id)
                .orElseThrow(() -> ProblemException.of(
                        HttpStatus.NOT_FOUND,
                        "there is no image \"%s\": it was never tagged, or it was deleted".formatted(id)));
    }

    private void thumbnail(Context request) throws InterruptedException {
        var thumbnails = late.get()
                .thumbnails()
                .orElseThrow(() ->
                        ProblemException.of(HttpStatus.NOT_IMPLEMENTED, "thumbnails are served in local mode only"));
        ImageDocument image = known(request);
        String tag = "\"" + image.sha256() + "\"";
        request.header("Cache-Control", "private, no-cache").header("ETag", tag);
        if (tag.equals(request.header("If-None-Match"))) {
            request.status(HttpStatus.NOT_MODIFIED);
            return;
        }
        try {
            request.contentType("image/jpeg").result(thumbnails.of(image.uri(), image.sha256()));
        } catch (ImageException e) {
            request.res().setHeader("ETag", null);
            throw ProblemException.of(
                    HttpStatus.NOT_FOUND, e.getMessage(), e.reason().name());
        }
    }

    /** The URL of an image. */
    private record Address(String url) {}

    private record Submissions(List<ImageIntake.Submitted> items) {}

    private void submit(Context request) throws IOException, InterruptedException {
        ImageIntake intake = late.get()
                .intake()
                .orElseThrow(() -> ProblemException.of(
                        HttpStatus.FORBIDDEN,
                        "images can be submitted here in local mode only; produce them to the images topic instead"));
        List<ImageIntake.Submitted> submitted = request.isMultipartFormData()
                ? files(request, intake)
                : List.of(intake.url(url(Json.body(request, Address.class).url())));
        request.status(HttpStatus.ACCEPTED);
        Json.answer(request, new Submissions(submitted));
    }

    private static List<ImageIntake.Submitted> files(Context request, ImageIntake intake)
            throws IOException, InterruptedException {
        List<UploadedFile> files = request.uploadedFiles("files");
        if (files.isEmpty() || files.size() > MOST_FILES) {
            throw ProblemException.of(
                    HttpStatus.BAD_REQUEST,
                    "%d parts are named \"files\"; send from 1 to %d of them".formatted(files.size(), MOST_FILES));
        }
        List<ImageIntake.Submitted> submitted = new ArrayList<>();
        for (UploadedFile file : files) {
            if (file.size() > intake.largest()) {
                throw ProblemException.of(
                        HttpStatus.CONTENT_TOO_LARGE,
                        "\"%s\" has %d bytes, more than the %d allowed; %s"
                                .formatted(file.filename(), file.size(), intake.largest(), LARGE_FILE));
            }
            try (InputStream content = file.content()) {
                submitted.add(intake.file(file.filename(), content.readAllBytes()));
            } catch (ImageException e) {
                throw ProblemException.of(
                        HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                        "\"%s\": %s".formatted(file.filename(), e.getMessage()),
                        e.reason().name());
            }
        }
        return submitted;
    }

    private static URI url(String text) {
        try {
            URI url = new URI(Optional.ofNullable(text).orElse("").strip());
            if (ImageSources.isOnServer(url.toString()) && url.getHost() != null) {
                return url;
            }
        } catch (URISyntaxException e) {
            throw ProblemException.of(HttpStatus.BAD_REQUEST, "url=%s is not a URL: %s".formatted(text, e.getReason()));
        }
        throw ProblemException.of(
                HttpStatus.BAD_REQUEST,
                "url=%s: must be a URL that has a host and begins with %s:"
                        .formatted(text, String.join(": or ", ImageSources.serverSchemes())));
    }
}
