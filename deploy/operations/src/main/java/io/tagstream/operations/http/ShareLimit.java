/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.time.Duration;
import java.util.Optional;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.QoSHandler;
import org.eclipse.jetty.util.Callback;

/** Limits how many requests of a share are worked on at a time; a few more wait for their turn, without a thread. */
final class ShareLimit extends QoSHandler {
    private final Share share;
    private final Refusals refusals;

    ShareLimit(Share share, Duration turn, Refusals refusals) {
        this.share = share;
        this.refusals = refusals;
        setMaxRequestCount(share.atATime());
        setMaxSuspendedRequestCount(share.waiting());
        setMaxSuspend(turn);
    }

    @Override
    public boolean onConditionsMet(Request request, Response response, Callback callback) throws Exception {
        return Share.of(request).equals(Optional.of(share))
                ? super.onConditionsMet(request, response, callback)
                : nextHandler(request, response, callback);
    }

    @Override
    protected void reject(Request request, Response response, Callback callback, int status) {
        refuse(response, callback);
    }

    @Override
    protected void failSuspended(Request request, Response response, Callback callback, int status, Throwable failure) {
        if (status == HttpStatus.SERVICE_UNAVAILABLE_503) {
            refuse(response, callback);
        } else {
            super.failSuspended(request, response, callback, status, failure);
        }
    }

    private void refuse(Response response, Callback callback) {
        refusals.busy(
                response,
                callback,
                "%d requests of this kind (%s) are already being handled; try again"
                        .formatted(share.atATime(), share.title()));
    }
}
