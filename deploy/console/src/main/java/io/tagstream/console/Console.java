/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.tagstream.cluster.OperatorException;
import io.tagstream.console.api.Api;
import io.tagstream.console.api.ProblemException;
import io.tagstream.topology.config.StreamsSettings;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.vocabulary.LabelLimits;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.common.config.types.Password;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The console and its API on an HTTP server, guarded. */
public final class Console implements Consumer<JavalinConfig> {
    private static final Logger log = LoggerFactory.getLogger(Console.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TagstreamConfig config;
    private final Optional<TokenSession> token;
    private final Api api;

    /**
     * @throws OperatorException of invalid usage, if anyone on the network could change labels
     */
    public Console(TagstreamConfig config) {
        this.config = config;
        this.api = new Api(LabelLimits.of(config));
        this.token = Optional.ofNullable(config.getPassword(ConsoleKeys.CONSOLE_TOKEN))
                .map(Password::value)
                .map(token -> new TokenSession(
                        token,
                        StreamsSettings.address(config).map(own -> own.host() + ":" + own.port()),
                        InstantSource.system()));
        String host = config.getString(TagstreamConfig.HTTP_HOST);
        if (token.isEmpty() && !Hosts.isLoopback(host)) {
            if (config.getBoolean(ConsoleKeys.CONSOLE_WRITABLE)) {
                throw OperatorException.invalid(
                        "%s=true with %s=%s lets anyone on the network change labels; set %s, or set %s to 127.0.0.1"
                                .formatted(
                                        ConsoleKeys.CONSOLE_WRITABLE,
                                        TagstreamConfig.HTTP_HOST,
                                        host,
                                        ConsoleKeys.CONSOLE_TOKEN,
                                        TagstreamConfig.HTTP_HOST));
            }
            log.warn(
                    "Anyone who can reach the console on {} can see everything in it; set {} to require a token",
                    host,
                    ConsoleKeys.CONSOLE_TOKEN);
        }
    }

    /** The API, which answers once its services are set. */
    public Api api() {
        return api;
    }

    @Override
    public void accept(JavalinConfig server) {
        server.http.prefer405over404 = true;
        new RequestGuard(config, token).register(server.routes);
        new ConsoleFiles().register(server.routes);
        server.routes.get("/api/session", this::describeSession);
        server.routes.post("/api/session", this::beginSession);
        server.routes.delete("/api/session", request -> token.ifPresent(session -> session.end(request)));
        api.configure(server);
    }

    private void describeSession(Context request) {
        boolean open = token.isEmpty() || token.get().isShownBy(request);
        request.contentType("application/json").result("{\"open\":%s,\"token\":%s}".formatted(open, token.isPresent()));
    }

    private void beginSession(Context request) {
        try {
            JsonNode shown = JSON.readTree(request.bodyAsBytes()).path("token");
            token.ifPresent(session -> session.begin(request, shown.asText()));
            request.status(HttpStatus.NO_CONTENT);
        } catch (JsonProcessingException e) {
            throw ProblemException.of(HttpStatus.BAD_REQUEST, "the body is not JSON; send {\"token\": \"…\"}");
        } catch (java.io.IOException e) {
            throw ProblemException.of(HttpStatus.BAD_REQUEST, "the body cannot be read");
        }
    }
}
