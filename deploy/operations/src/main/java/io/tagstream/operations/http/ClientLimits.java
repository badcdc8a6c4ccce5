/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.time.Duration;

/**
 * The limits on what clients may use of a server.
 *
 * @param bodies of requests, unless they are uploads
 * @param uploads bodies of uploads
 * @param answerPace how slow a client may take its answer
 * @param connections open connections
 * @param turn how long a request may wait for others of its share to finish
 */
public record ClientLimits(
        Bodies bodies, Uploads uploads, Pace answerPace, OpenConnections connections, Duration turn) {
    /**
     * The limits on bodies that are held in memory.
     *
     * @param largest the largest body in bytes
     * @param atOnce how many bodies may be received at a time; each may take {@code largest} of memory
     * @param pace how slow a body may be
     */
    public record Bodies(int largest, int atOnce, Pace pace) {}

    /**
     * The limits on uploads.
     *
     * @param largest the largest upload in bytes
     * @param pace how slow an upload may be
     */
    public record Uploads(long largest, Pace pace) {}

    /**
     * The limits on connections.
     *
     * @param most how many there may be; beyond that, those without a request are closed, the longest idle first
     * @param idle how long a connection may go without a request whose head has arrived
     */
    public record OpenConnections(int most, Duration idle) {}

    private static final int KIB = 1024;
    private static final Duration GRACE = Duration.ofSeconds(10);

    /** The limits of the console's server, which also serves metrics and health. */
    public static final ClientLimits STANDARD = of(64 * KIB, 512);

    /** The limits of a schema registry: schemas may be large, and there are few clients. */
    public static final ClientLimits REGISTRY = of(KIB * KIB, 64);

    private static ClientLimits of(int largestBody, int bodies) {
        return new ClientLimits(
                new Bodies(largestBody, bodies, new Pace(GRACE, 32 * KIB)),
                new Uploads(256L * KIB * KIB, new Pace(GRACE, 64 * KIB)),
                new Pace(GRACE, 32 * KIB),
                new OpenConnections(1_024, Duration.ofSeconds(30)),
                Duration.ofSeconds(5));
    }
}
