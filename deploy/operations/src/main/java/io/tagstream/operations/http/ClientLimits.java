/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.time.Duration;

/**
 * What clients may take of a server.
 *
 * @param largestBody bytes of a request's body, unless it is an upload
 * @param bodies how many bodies may be on their way at a time; each may take {@code largestBody} of memory
 * @param bodyPace how slow such a body may be
 * @param largestUpload bytes of an upload's body
 * @param uploadPace how slow an upload may be
 * @param answerPace how slow a client may take its answer
 * @param idle how long a connection may be without a request whose head has come
 * @param connections how many connections there may be before those without a request have to go, longest first
 * @param turn how long a request may wait for others of its share
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

    /** What the console's server has, where metrics and health are served too. */
    public static final ClientLimits STANDARD = of(64 * KIB, 512);

    /** What a schema registry has: schemas may be large, and there are few clients. */
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
