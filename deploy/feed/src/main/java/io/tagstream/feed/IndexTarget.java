/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import java.net.URI;
import java.util.List;
import java.util.Optional;

/**
 * A search server that can be fed. To add one, implement this interface, {@link IndexKeeper} and {@link DocumentWriter},
 * and name the provider in {@code META-INF/services/io.tagstream.feed.IndexTarget$Provider}.
 *
 * <p><i>Threading notes.</i> Thread-safe. {@link #close} fails requests that are under way.
 */
public interface IndexTarget extends AutoCloseable {
    /** Makes the targets of one kind. */
    interface Provider {
        /** The form of {@code --url} for this kind, for messages, such as {@code http://HOST:PORT}. */
        String form();

        /** Whether an address belongs to this kind of server. */
        boolean serves(URI url);

        /**
         * Makes a client, which does not connect yet.
         *
         * @param urls the nodes' addresses, at least one, all of which {@link #serves} has accepted
         * @param authorization value of the header of that name
         */
        IndexTarget connect(List<URI> urls, Optional<String> authorization);
    }

    /**
     * The server's name and version, such as {@code OpenSearch 2.19.3}.
     *
     * @throws io.tagstream.cluster.OperatorException if the server does not answer
     */
    String version();

    /** The server's address, for messages. */
    String address();

    /** The keeper of the indices behind a name that searches go to. */
    IndexKeeper keeper(String alias);

    /**
     * A writer of documents; the caller closes it.
     *
     * @param documents maximum number of documents per request
     * @param requests maximum number of concurrent requests
     */
    DocumentWriter writer(TagIndex index, int documents, int requests);

    @Override
    void close();
}
