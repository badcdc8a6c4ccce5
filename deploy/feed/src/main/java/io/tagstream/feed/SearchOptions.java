/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The options that name a command's search server. */
public final class SearchOptions {
    private static final List<IndexTarget.Provider> PROVIDERS = ServiceLoader.load(IndexTarget.Provider.class).stream()
            .map(ServiceLoader.Provider::get)
            .toList();

    @Option(
            names = "--url",
            required = true,
            paramLabel = "URL",
            split = ",",
            description = "Address of an OpenSearch or Elasticsearch node, such as https://search-1:9200. Several"
                    + " addresses, separated by commas, are used in turn.")
    private List<String> urls;

    @Option(
            names = "--authorization",
            paramLabel = "FILE",
            description = "A file with the value of the HTTP Authorization header, such as \"Basic dXNlcjpwYXNz\" or"
                    + " \"ApiKey ...\". Put your own certificate authority into a Java trust store:"
                    + " TAGSTREAM_JAVA_OPTS=-Djavax.net.ssl.trustStore=...")
    private Path authorization;

    /**
     * The server at the given addresses, not connected yet. The caller closes it.
     *
     * @throws OperatorException if the options are wrong
     */
    public IndexTarget target() {
        List<URI> addresses = urls.stream().map(SearchOptions::uri).toList();
        IndexTarget.Provider provider = PROVIDERS.stream()
                .filter(candidate -> addresses.stream().allMatch(candidate::serves))
                .findFirst()
                .orElseThrow(() -> notAnAddress(String.join(",", urls), null));
        return provider.connect(addresses, Optional.ofNullable(authorization).map(SearchOptions::read));
    }

    private static URI uri(String text) {
        try {
            URI uri = new URI(text.strip());
            if (uri.getHost() != null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            throw notAnAddress(text, e);
        }
        throw notAnAddress(text, null);
    }

    private static OperatorException notAnAddress(String text, URISyntaxException cause) {
        return OperatorException.invalid(
                "--url %s: give %s, without a user; credentials go into --authorization"
                        .formatted(
                                text,
                                PROVIDERS.stream()
                                        .map(IndexTarget.Provider::form)
                                        .collect(Collectors.joining(", "))),
                cause);
    }

    private static String read(Path file) {
        try {
            String value = Files.readString(file).strip();
            if (value.isEmpty() || value.lines().count() > 1) {
                throw OperatorException.invalid(
                        "--authorization %s: it must have one line, such as \"Basic dXNlcjpwYXNz\"".formatted(file));
            }
            return value;
        } catch (IOException e) {
            throw OperatorException.invalid("--authorization %s cannot be read: %s".formatted(file, e), e);
        }
    }
}
