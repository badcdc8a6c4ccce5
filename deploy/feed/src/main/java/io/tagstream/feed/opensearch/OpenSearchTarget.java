/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import io.tagstream.feed.DocumentWriter;
import io.tagstream.feed.IndexKeeper;
import io.tagstream.feed.IndexTarget;
import io.tagstream.feed.TagIndex;
import java.net.URI;
import java.util.List;
import java.util.Optional;

/** OpenSearch or Elasticsearch. */
public final class OpenSearchTarget implements IndexTarget {
    private final SearchServer server;

    /** Makes targets from {@code http} and {@code https} addresses. */
    public static final class Provider implements IndexTarget.Provider {
        @Override
        public String form() {
            return "http://HOST:PORT or https://HOST:PORT";
        }

        @Override
        public boolean serves(URI url) {
            return "http".equals(url.getScheme()) || "https".equals(url.getScheme());
        }

        @Override
        public IndexTarget connect(List<URI> urls, Optional<String> authorization) {
            return new OpenSearchTarget(SearchServer.at(urls, authorization));
        }
    }

    /** {@code server} is closed with the target. */
    public OpenSearchTarget(SearchServer server) {
        this.server = server;
    }

    /** The underlying server, for requests that only this kind of server knows. */
    public SearchServer server() {
        return server;
    }

    @Override
    public String version() {
        return server.version();
    }

    @Override
    public String address() {
        return server.address();
    }

    @Override
    public IndexKeeper keeper(String alias) {
        return new AliasKeeper(server, alias);
    }

    @Override
    public DocumentWriter writer(TagIndex index, int documents, int requests) {
        return new BulkWriter(server, AliasKeeper.writeAlias(index), documents, requests);
    }

    @Override
    public void close() {
        server.close();
    }
}
