/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

/** The user no longer wants a result. */
final class StoppedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
}
