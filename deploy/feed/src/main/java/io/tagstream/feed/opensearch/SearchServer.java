/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.message.BasicHeader;
import org.opensearch.client.opensearch.OpenSearchAsyncClient;
import org.opensearch.client.opensearch.generic.Body;
import org.opensearch.client.opensearch.generic.OpenSearchGenericClient;
import org.opensearch.client.opensearch.generic.Requests;
import org.opensearch.client.opensearch.generic.Response;
import org.opensearch.client.transport.OpenSearchTransport;
import org.opensearch.client.transport.httpclient5.ApacheHttpClient5TransportBuilder;

/**
 * A search server, OpenSearch or Elasticsearch. Do not make requests here that only one of the two knows.
 *
 * <p><i>Threading notes.</i> Thread-safe. {@link #close} fails requests that are under way.
 */
public final class SearchServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CONNECT_SECONDS = 5;
    /** As long as the servers themselves wait for a shard to be available. */
    private static final int ANSWER_SECONDS = 60;

    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int LAST_SUCCESS = 299;

    private final String address;
    private final OpenSearchTransport transport;
    private final OpenSearchGenericClient requests;

    private SearchServer(String address, OpenSearchTransport transport) {
        this.address = address;
        this.transport = transport;
        this.requests = new OpenSearchGenericClient(transport);
    }

    /**
     * Makes a client, which does not connect yet.
     *
     * @param urls the nodes' addresses, at least one; the path of the first is prepended to the path of every request
     * @param authorization value of the header of that name
     */
    public static SearchServer at(List<URI> urls, Optional<String> authorization) {
        HttpHost[] hosts = urls.stream().map(SearchServer::host).toArray(HttpHost[]::new);
        ApacheHttpClient5TransportBuilder builder = ApacheHttpClient5TransportBuilder.builder(hosts)
                .setConnectionConfigCallback(connection -> connection
                        .setConnectTimeout(CONNECT_SECONDS, TimeUnit.SECONDS)
                        .setSocketTimeout(ANSWER_SECONDS, TimeUnit.SECONDS));
        authorization.ifPresent(
                value -> builder.setDefaultHeaders(new Header[] {new BasicHeader(HttpHeaders.AUTHORIZATION, value)}));
        String path = urls.get(0).getPath();
        if (path != null && path.length() > 1) {
            builder.setPathPrefix(path);
        }
        String address = urls.stream().map(URI::toString).collect(Collectors.joining(","));
        return new SearchServer(address, builder.build());
    }

    private static HttpHost host(URI url) {
        return new HttpHost(url.getScheme(), url.getHost(), url.getPort());
    }

    /**
     * An answer.
     *
     * @param status HTTP's
     * @param body missing if it is not JSON
     */
    record Answer(int status, JsonNode body) {
        boolean ok() {
            return status <= LAST_SUCCESS;
        }

        boolean notFound() {
            return status == NOT_FOUND;
        }

        /** Why the server refused. */
        String reason() {
            JsonNode error = body.path("error");
            if (error.isTextual()) {
                return error.asText();
            }
            StringBuilder reason = new StringBuilder("HTTP status " + status);
            for (JsonNode cause = error; cause.isObject(); cause = cause.path("caused_by")) {
                String text = cause.path("reason").asText();
                if (reason.indexOf(text) < 0) {
                    reason.append(": ").append(text);
                }
            }
            return reason.toString();
        }
    }

    /** The server's name and version, such as {@code OpenSearch 2.19.3}. */
    public String version() {
        JsonNode version = required("GET", "/", null).path("version");
        String product = version.path("distribution").asText("elasticsearch");
        return (product.equals("opensearch") ? "OpenSearch " : "Elasticsearch ")
                + version.path("number").asText("of an unknown version");
    }

    /**
     * Makes a request and returns any answer, except one of those that throw.
     *
     * @param body JSON, or null for none
     * @throws OperatorException if the server does not answer, is temporarily unable to, or does not permit this user
     */
    Answer request(String method, String path, JsonNode body) {
        Answer answer = send(method, path, body);
        if (answer.status() == UNAUTHORIZED || answer.status() == FORBIDDEN) {
            throw notAllowed(method + " " + path, answer.reason());
        }
        if (OpenSearchRefusals.mayPass(answer.status())) {
            throw OperatorException.unavailable(
                    "the search server at %s cannot answer %s %s at the moment: %s"
                            .formatted(address, method, path, answer.reason()),
                    null);
        }
        return answer;
    }

    /**
     * Makes a request that must succeed.
     *
     * @throws OperatorException as in {@link #request}, and if the server refuses
     */
    public JsonNode required(String method, String path, JsonNode body) {
        Answer answer = request(method, path, body);
        if (!answer.ok()) {
            throw OperatorException.failed(
                    "the search server at %s refused %s %s: %s".formatted(address, method, path, answer.reason()));
        }
        return answer.body();
    }

    private Answer send(String method, String path, JsonNode body) {
        var request = Requests.builder().method(method).endpoint(path);
        if (body != null) {
            request.json(body.toString());
        }
        try (Response response = requests.execute(request.build())) {
            return new Answer(
                    response.getStatus(),
                    response.getBody().map(SearchServer::json).orElse(MissingNode.getInstance()));
        } catch (IOException e) {
            int status = OpenSearchRefusals.statusOf(e);
            if (status == UNAUTHORIZED || status == FORBIDDEN) {
                throw notAllowed(method + " " + path, "HTTP status " + status);
            }
            throw OperatorException.unavailable(
                    "no search server answers at %s (%s); check --url and that it runs".formatted(address, describe(e)),
                    e);
        }
    }

    private OperatorException notAllowed(String request, String reason) {
        return OperatorException.failed(
                "the search server at %s does not allow %s (%s); check --authorization and the user's permissions"
                        .formatted(address, request, reason));
    }

    private static String describe(IOException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private static JsonNode json(Body body) {
        String text = body.bodyAsString();
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    /** How many documents a search on an index finds, after a refresh. */
    public long count(String index) {
        required("POST", "/" + index + "/_refresh", null);
        return required("GET", "/" + index + "/_count", null).path("count").asLong();
    }

    /** Deletes an index, if it exists. */
    public void delete(String index) {
        Answer answer = request("DELETE", "/" + index, null);
        if (!answer.ok() && !answer.notFound()) {
            throw OperatorException.failed("index %s cannot be deleted: %s".formatted(index, answer.reason()));
        }
    }

    /** The client for bulk requests. */
    public OpenSearchAsyncClient client() {
        return new OpenSearchAsyncClient(transport);
    }

    String address() {
        return address;
    }

    @Override
    public void close() {
        try {
            transport.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
