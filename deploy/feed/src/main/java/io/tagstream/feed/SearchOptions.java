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
import picocli.CommandLine.Option;

/** Which search server a command works with. */
public final class SearchOptions {
    @Option(
            names = "--url",
            required = true,
            paramLabel = "URL",
            split = ",",
            description = "Address of an OpenSearch or Elasticsearch node, such as https://search-1:9200; several,"
                    + " comma-separated, are used in turn.")
    private List<String> urls;

    @Option(
            names = "--authorization",
            paramLabel = "FILE",
            description = "A file with the value of the HTTP header of that name, such as \"Basic dXNlcjpwYXNz\" or"
                    + " \"ApiKey ...\". A certificate authority of your own goes into Java's trust store:"
                    + " TAGSTREAM_JAVA_OPTS=-Djavax.net.ssl.trustStore=...")
    private Path authorization;

    /**
     * A client; nothing is connected to yet. The caller closes it.
     *
     * @throws OperatorException if it was given wrongly
     */
    public SearchServer server() {
        return SearchServer.at(
                urls.stream().map(SearchOptions::uri).toList(),
                Optional.ofNullable(authorization).map(SearchOptions::read));
    }

    private static URI uri(String text) {
        try {
            URI uri = new URI(text.strip());
            boolean known = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (known && uri.getHost() != null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            throw notAnAddress(text, e);
        }
        throw notAnAddress(text, null);
    }

    private static OperatorException notAnAddress(String text, URISyntaxException cause) {
        return OperatorException.invalid(
                "--url %s: http://HOST:PORT or https://HOST:PORT is needed, without a user; see --authorization"
                        .formatted(text),
                cause);
    }

    private static String read(Path file) {
        try {
            String value = Files.readString(file).strip();
            if (value.isEmpty() || value.lines().count() > 1) {
                throw OperatorException.invalid(
                        "--authorization %s: one line is needed, such as \"Basic dXNlcjpwYXNz\"".formatted(file));
            }
            return value;
        } catch (IOException e) {
            throw OperatorException.invalid("--authorization %s cannot be read: %s".formatted(file, e), e);
        }
    }
}
