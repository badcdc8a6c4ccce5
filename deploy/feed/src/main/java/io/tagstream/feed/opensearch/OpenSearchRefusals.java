/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import io.tagstream.feed.Refusal;
import io.tagstream.feed.Refusal.Kind;
import org.opensearch.client.opensearch._types.ErrorCause;
import org.opensearch.client.opensearch._types.OpenSearchException;
import org.opensearch.client.opensearch.core.bulk.BulkResponseItem;
import org.opensearch.client.transport.httpclient5.ResponseException;

/** Interprets the answers of OpenSearch and Elasticsearch to writes that they have not accepted. */
public final class OpenSearchRefusals {
    /** No answer arrived: the connection failed, or the response was not a valid answer. */
    static final int NO_STATUS = 0;

    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int REQUEST_TIMEOUT = 408;
    private static final int CONFLICT = 409;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int SERVER_ERROR = 500;
    private static final String BLOCKED = "cluster_block_exception";

    private OpenSearchRefusals() {}

    /** Whether a failure with this status may be temporary. */
    static boolean mayPass(int status) {
        return status == NO_STATUS
                || status == REQUEST_TIMEOUT
                || status == TOO_MANY_REQUESTS
                || status >= SERVER_ERROR;
    }

    /** Interprets the result of one document in a bulk request that the server has read. */
    public static Refusal of(BulkResponseItem item) {
        ErrorCause error = item.error();
        String reason = "%s (HTTP status %d)".formatted(describe(error), item.status());
        // a full disk gives 403 in some versions and 429 in others
        if (mayPass(item.status()) || BLOCKED.equals(error.type())) {
            return new Refusal(Kind.MAY_PASS, reason);
        }
        return switch (item.status()) {
            case CONFLICT -> new Refusal(Kind.STALE, reason);
            case UNAUTHORIZED, FORBIDDEN, NOT_FOUND -> new Refusal(Kind.FATAL, reason);
            default -> new Refusal(Kind.REJECTED, reason);
        };
    }

    /** Interprets the failure of a whole bulk request, of one document or of several. */
    public static Refusal of(Throwable failure, boolean alone) {
        int status = statusOf(failure);
        String reason = describe(failure);
        if (mayPass(status)) {
            return new Refusal(Kind.MAY_PASS, reason);
        }
        return switch (status) {
            case UNAUTHORIZED, FORBIDDEN, NOT_FOUND -> new Refusal(Kind.FATAL, reason);
            default -> new Refusal(alone ? Kind.REJECTED : Kind.SUSPECT, reason);
        };
    }

    /** The status of the server's answer, {@link #NO_STATUS} if there was none. */
    static int statusOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof OpenSearchException answered) {
                return answered.status();
            }
            if (cause instanceof ResponseException answered) {
                return answered.status();
            }
        }
        return NO_STATUS;
    }

    private static String describe(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && !(cause instanceof OpenSearchException)) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    private static String describe(ErrorCause error) {
        StringBuilder text = new StringBuilder(error.type() + ": " + error.reason());
        for (ErrorCause cause = error.causedBy(); cause != null; cause = cause.causedBy()) {
            if (cause.reason() != null && text.indexOf(cause.reason()) < 0) {
                text.append(": ").append(cause.reason());
            }
        }
        return text.toString();
    }
}
