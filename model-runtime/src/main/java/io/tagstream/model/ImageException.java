/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.time.Duration;
import java.util.Optional;

/**
 * An image could not be scored. The message says what failed, with which value, and what to change. Whatever input it
 * quotes, it has no control characters and a limited length.
 */
public final class ImageException extends Exception {
    private static final long serialVersionUID = 1L;

    private static final int LONGEST_MESSAGE = 1000;

    private final FailureReason reason;
    private final int attempts;
    private final boolean sourceOverloaded;
    private final Duration retryAfter;

    public ImageException(FailureReason reason, String message) {
        this(reason, message, null);
    }

    public ImageException(FailureReason reason, String message, Throwable cause) {
        this(reason, message, 1, cause);
    }

    public ImageException(FailureReason reason, String message, int attempts, Throwable cause) {
        this(reason, message, attempts, false, null, cause);
    }

    private ImageException(
            FailureReason reason,
            String message,
            int attempts,
            boolean sourceOverloaded,
            Duration retryAfter,
            Throwable cause) {
        super(Excerpt.of(String.valueOf(message), LONGEST_MESSAGE), cause);
        this.reason = reason;
        this.attempts = attempts;
        this.sourceOverloaded = sourceOverloaded;
        this.retryAfter = retryAfter;
    }

    /**
     * The image's source is down or overloaded, and should be asked for less.
     *
     * @param retryAfter how long the source wants to be left alone, if it says so
     */
    public static ImageException overloaded(
            FailureReason reason, String message, Optional<Duration> retryAfter, Throwable cause) {
        return new ImageException(reason, message, 1, true, retryAfter.orElse(null), cause);
    }

    /** The same failure, after {@code allAttempts} attempts. */
    public ImageException after(int allAttempts) {
        String message = allAttempts > 1 ? "%s (attempt %d)".formatted(getMessage(), allAttempts) : getMessage();
        ImageException last =
                new ImageException(reason, message, allAttempts, sourceOverloaded, retryAfter, getCause());
        last.setStackTrace(getStackTrace());
        return last;
    }

    public FailureReason reason() {
        return reason;
    }

    /** How many attempts were made; 0 if the image's source had answered nobody for so long that none was made. */
    public int attempts() {
        return attempts;
    }

    /** Whether the image's source is down or overloaded: timeouts, refused connections, HTTP 429 and 503. */
    public boolean sourceOverloaded() {
        return sourceOverloaded;
    }

    /** How long the source wants to be left alone, if it says so. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
