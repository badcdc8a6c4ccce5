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
 * @param largestBody the largest body of a request in bytes, unless it is an upload
 * @param bodies how many bodies may be received at a time; each may take {@code largestBody} of memory
 * @param bodyPace how slow such a body may be
 * @param largestUpload the largest body of an upload in bytes
 * @param uploadPace how slow an upload may be
 * @param answerPace how slow a client may take its answer
 * @param idle how long a connection may go without a request whose head has arrived
 * @param connections how many connections there may be; beyond that, those without a request are closed, the longest
 *     idle first
 * @param turn how long a request may wait for others of its share to finish
 */
public record ClientLimits(
        int largestBody,
        int bodies,
        Pace bodyPace,
        long largestUpload,
        Pace uploadPace,
        Pace answerPace,
        Duration idle,
        int connections,
        Duration turn) {
    private static final int KIB = 1024;
    private static final Duration GRACE = Duration.ofSeconds(10);

    /** The limits of the console's server, which also serves metrics and health. */
    public static final ClientLimits STANDARD = of(64 * KIB, 512);

    /** The limits of a schema registry: schemas may be large, and there are few clients. */
    public static final ClientLimits REGISTRY = of(KIB * KIB, 64);

    private static ClientLimits of(int largestBody, int bodies) {
        return new ClientLimits(
                largestBody,
                bodies,
                new Pace(GRACE, 32 * KIB),
                256L * KIB * KIB,
                new Pace(GRACE, 64 * KIB),
                new Pace(GRACE, 32 * KIB),
                Duration.ofSeconds(30),
                1_024,
                Duration.ofSeconds(5));
    }
}
