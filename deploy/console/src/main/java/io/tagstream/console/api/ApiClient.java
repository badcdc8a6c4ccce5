/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.tagstream.model.LabelText;
import io.tagstream.operations.http.Problem;
import io.tagstream.topology.query.Explanation;
import io.tagstream.topology.query.Preview;
import io.tagstream.topology.query.SweepProgress;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Asks an instance's read API. The command line and other instances use it.
 *
 * <p><i>Threading notes.</i> Thread-safe. Every question blocks until it is answered.
 */
public final class ApiClient {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    /** A preview scores every known image. */
    private static final Duration ANSWER = Duration.ofMinutes(5);

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(CONNECT).build();
    private final URI base;
    private final Optional<String> token;
    private final Scope scope;

    /** Which instances' images a question is about. */
    public enum Scope {
        /** The images of every instance. */
        ALL,
        /** The images of the instance that is asked. */
        INSTANCE
    }

    /**
     * A client of one instance.
     *
     * @param base such as {@code http://127.0.0.1:8080}
     * @param token the instance's {@code console.token}, if it has one
     */
    public ApiClient(URI base, Optional<String> token, Scope scope) {
        this.base = base;
        this.token = token;
        this.scope = scope;
    }

    /**
     * How many known images a label would match.
     *
     * @throws ApiException if there is no answer, or it is a problem
     */
    public Preview preview(LabelText text, OptionalDouble threshold, int best) throws ApiException {
        Map<String, Object> asked = new LinkedHashMap<>();
        asked.put("name", text.name());
        asked.put("prompts", text.prompts());
        threshold.ifPresent(score -> asked.put("threshold", score));
        asked.put("best", best);
        HttpRequest.Builder request = request("/api/labels/preview")
                .header("Content-Type", "application/json")
                .header("X-Tagstream", "client")
                .POST(HttpRequest.BodyPublishers.ofByteArray(Json.bytes(asked)));
        return answer(request, Preview.class);
    }

    /**
     * Why an image has its tags; empty for an unknown image.
     *
     * @throws ApiException if there is no answer, or the answer is another problem
     */
    public Optional<Explanation> explain(String imageId) throws ApiException {
        String escaped = URLEncoder.encode(imageId, StandardCharsets.UTF_8).replace("+", "%20");
        try {
            return Optional.of(answer(request("/api/explain/" + escaped).GET(), Explanation.class));
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /**
     * How far known images have caught up with the vocabulary.
     *
     * @throws ApiException if there is no answer, or it is a problem
     */
    public SweepProgress progress() throws ApiException {
        return answer(request("/api/progress").GET(), SweepProgress.class);
    }

    private HttpRequest.Builder request(String path) {
        String query = scope == Scope.INSTANCE ? "?scope=instance" : "";
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base.toString() + path + query))
                .timeout(ANSWER);
        token.ifPresent(secret -> request.header("Authorization", authorization(secret)));
        return request;
    }

    /** The token goes only where a person has sent it: instances find each other by what others announce. */
    private String authorization(String secret) {
        return switch (scope) {
            case ALL -> "Bearer " + secret;
            case INSTANCE -> PeerSignature.of(secret, base.getAuthority(), Instant.now());
        };
    }

    private <T> T answer(HttpRequest.Builder request, Class<T> wanted) throws ApiException {
        try {
            HttpResponse<byte[]> response = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            if (response.statusCode() >= 300) {
                throw new ApiException(base, response.statusCode(), detail(response.body()));
            }
            return Json.read(response.body(), wanted);
        } catch (IOException e) {
            throw new ApiException(base, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(base, new IOException("interrupted", e));
        }
    }

    private static String detail(byte[] body) {
        try {
            return Json.read(body, Problem.class).detail();
        } catch (IOException notOfThisApi) {
            return "is this a Tagstream instance with console.enabled=true?";
        }
    }
}
