/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.instance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tagstream.cli.Terminal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.console.ConsoleKeys;
import io.tagstream.console.api.ApiClient;
import io.tagstream.console.api.ApiException;
import io.tagstream.console.search.ImageJson;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.common.config.types.Password;
import picocli.CommandLine.Option;

/** The options that say which running Tagstream a command asks. */
final class InstanceOptions {
    private static final ObjectMapper JSON = new ObjectMapper().registerModule(ImageJson.times());

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "The address where Tagstream serves its console, such as http://127.0.0.1:8080. Default:"
                    + " http.host and http.port of the configuration.")
    private URI url;

    @Option(names = "--config", paramLabel = "FILE", description = "Properties file with the configuration.")
    private Path file;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "A configuration key and its value.")
    private Map<String, String> settings = Map.of();

    /** A question to that Tagstream. */
    interface Question<T> {
        T ask(ApiClient client) throws ApiException;
    }

    /** Returns an answer as one line of JSON. */
    /** Writes an answer as one JSON object. */
    static void printJson(Object answer) {
        try {
            PrintStream output = Terminal.utf8Output();
            output.println(JSON.writeValueAsString(answer));
            output.flush();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A record of plain values is always JSON", e);
        }
    }

    /** @throws OperatorException if there is no answer, or the answer reports a problem */
    <T> T ask(Question<T> question) {
        try {
            return question.ask(client());
        } catch (ApiException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
    }

    private ApiClient client() {
        TagstreamConfig config = config();
        Optional<String> token = Optional.ofNullable(config.getPassword(ConsoleKeys.CONSOLE_TOKEN))
                .map(Password::value);
        return new ApiClient(url == null ? configured(config) : plain(url), token, ApiClient.Scope.ALL);
    }

    private TagstreamConfig config() {
        Settings layers = new Settings();
        Optional.ofNullable(file).ifPresent(layers::file);
        return layers.environment(System.getenv())
                .flags(settings)
                .withDefault(TagstreamConfig.BOOTSTRAP_SERVERS, "not-asked:1") // the command asks only the instance
                .withDefault(TagstreamConfig.SCHEMA_REGISTRY_URL, "http://not-asked:1")
                .config();
    }

    private static URI configured(TagstreamConfig config) {
        String host = config.getString(TagstreamConfig.HTTP_HOST);
        OptionalInt port = config.optionalInt(TagstreamConfig.HTTP_PORT);
        return plain(URI.create("http://%s:%d"
                .formatted(
                        host.equals("0.0.0.0") ? "127.0.0.1" : host,
                        port.orElseThrow(() -> OperatorException.invalid(
                                "address missing; give --url, or a configuration with http.port")))));
    }

    private static URI plain(URI given) {
        boolean http = "http".equals(given.getScheme()) || "https".equals(given.getScheme());
        if (!http || given.getHost() == null) {
            throw OperatorException.invalid("--url %s: give an http:// or https:// address".formatted(given));
        }
        String text = given.toString();
        return URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
    }
}
