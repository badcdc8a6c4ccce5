/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.config.JavalinConfig;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import io.javalin.http.HttpStatus;
import io.tagstream.model.LabelTextException;
import io.tagstream.operations.http.Problem;
import io.tagstream.topology.query.QueryUnavailableException;
import io.tagstream.topology.vocabulary.LabelLimits;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.kafka.common.KafkaException;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.http.UriCompliance.Violation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The API: everything under {@code /api/}. It accepts requests before its services are ready, and answers that they are
 * not.
 *
 * <p><i>Threading notes.</i> Configured by one thread; requests run on the server's threads.
 */
public final class Api {
    private static final Logger log = LoggerFactory.getLogger(Api.class);
    private static final String ROOT = "/api/";
    private static final String DESCRIPTION = "openapi.yaml";

    private final LateServices late = new LateServices();
    private final LabelLimits limits;
    private List<String> routes = List.of();

    /** @param limits what labels may be */
    public Api(LabelLimits limits) {
        this.limits = limits;
    }

    /** Answers requests from these services from now on. */
    public void serve(ApiServices services) {
        late.set(services);
    }

    /** Ends the listeners' open requests; otherwise the server would wait for them. */
    public void release() {
        late.find().ifPresent(services -> services.views().events().close());
    }

    /** Registers the routes and the handlers that report failures. */
    public void configure(JavalinConfig config) {
        allowIdsInPaths(config);
        ApiRoutes registered = new ApiRoutes(config.routes);
        new ImagesApi(late).register(registered);
        new SearchApi(late).register(registered);
        new LabelsApi(late, limits).register(registered);
        new InsightApi(late).register(registered);
        new EventsApi(late).register(registered);
        registered.get(ROOT + DESCRIPTION, Api::description);
        routes = registered.registered();
        tellProblems(config.routes);
    }

    /**
     * Ids may contain slashes and other special characters; percent-encoded, an id is one segment of a path. No path
     * here names a file.
     */
    private static void allowIdsInPaths(JavalinConfig config) {
        UriCompliance compliance = UriCompliance.DEFAULT.with(
                "IDS",
                Violation.AMBIGUOUS_PATH_SEPARATOR,
                Violation.AMBIGUOUS_PATH_ENCODING,
                Violation.SUSPICIOUS_PATH_CHARACTERS);
        config.jetty.modifyHttpConfiguration(http -> http.setUriCompliance(compliance));
        config.jetty.modifyServletContextHandler(
                context -> context.getServletHandler().setDecodeAmbiguousURIs(true));
    }

    /** The method and path of every route. */
    List<String> routes() {
        return routes;
    }

    private static void description(Context request) {
        try (InputStream text = Api.class.getResourceAsStream(DESCRIPTION)) {
            request.contentType("application/yaml; charset=utf-8").result(text.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(DESCRIPTION + " cannot be read from the jar", e);
        }
    }

    private static void tellProblems(RoutesConfig routes) {
        routes.exception(ProblemException.class, (problem, request) -> Problem.answer(request, problem.problem()));
        routes.exception(HttpResponseException.class, (answer, request) -> {
            String more = request.path().startsWith(ROOT) ? "; see " + ROOT + DESCRIPTION : "";
            Problem.answer(request, Problem.of(HttpStatus.forStatus(answer.getStatus()), answer.getMessage() + more));
        });
        routes.exception(
                QueryUnavailableException.class,
                (unavailable, request) ->
                        Problem.answer(request, Problem.of(HttpStatus.SERVICE_UNAVAILABLE, unavailable.getMessage())));
        routes.exception(
                LabelTextException.class,
                (refused, request) ->
                        Problem.answer(request, Problem.of(HttpStatus.UNPROCESSABLE_CONTENT, refused.getMessage())));
        routes.exception(
                KafkaException.class,
                (failure, request) ->
                        fail(request, HttpStatus.BAD_GATEWAY, "a request to Kafka failed; the log says why", failure));
        routes.exception(
                Exception.class,
                (failure, request) -> BodyProblem.of(failure)
                        .ifPresentOrElse(
                                problem -> Problem.answer(request, problem),
                                () -> fail(
                                        request,
                                        HttpStatus.INTERNAL_SERVER_ERROR,
                                        "the request failed; the log says why",
                                        failure)));
    }

    private static void fail(Context request, HttpStatus status, String what, Exception failure) {
        log.error("Cannot answer {} {}", request.method(), request.path(), failure);
        Problem.answer(request, Problem.of(status, what));
    }
}
