/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

/**
 * What images are waiting for.
 *
 * @param reason the kind of wait
 * @param detail what is missing, with the values in question: part of a sentence, without a full stop
 */
public record Wait(WaitReason reason, String detail) {}
