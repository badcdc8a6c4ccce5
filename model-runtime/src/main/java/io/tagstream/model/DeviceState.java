/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.time.Instant;
import java.util.Optional;

/**
 * A device that runs the model.
 *
 * @param name such as {@code cpu} or {@code cuda:0}
 * @param failure what is wrong with it; empty while it works
 */
public record DeviceState(String name, Optional<Failure> failure) {
    /**
     * Why a device takes no batches.
     *
     * @param since when it failed
     */
    public record Failure(String message, Instant since) {}
}
