/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.content.ByteBufferContentSource;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Receives the bodies of requests before anything works on them: a slow body holds some memory but no thread. Uploads
 * are too large for that, so they are passed on unread, with a pace of their own.
 *
 * <p><i>Threading notes.</i> Never blocks. The same thread passes on a body that is there at once; another of the
 * server's threads passes on a later one.
 */
final class BodyReceiver extends Handler.Wrapper {
    private final ClientLimits limits;
    private final Refusals refusals;
    private final Semaphore free;

    BodyReceiver(ClientLimits limits, Refusals refusals) {
        this.limits = limits;
        this.refusals = refusals;
        this.free = new Semaphore(limits.bodies().atOnce());
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        if (!hasBody(request)) {
            return super.handle(request, response, callback);
        }
        boolean upload = Share.of(request).equals(Optional.of(Share.UPLOADS));
        long largest = upload ? limits.uploads().largest() : limits.bodies().largest();
        if (request.getLength() > largest) {
            refusals.count(Refusals.Reason.LARGE);
            refusals.unfit(response, callback, PacedRequest.tooLarge(largest));
            return true;
        }
        PacedRequest paced = new PacedRequest(
                request,
                largest,
                upload ? limits.uploads().pace() : limits.bodies().pace(),
                refusals);
        if (upload) {
            return super.handle(paced, response, callback);
        }
        if (!free.tryAcquire()) {
            refusals.busy(
                    response,
                    callback,
                    "%d request bodies are already being received; try again"
                            .formatted(limits.bodies().atOnce()));
            return true;
        }
        new Receipt(paced, response, callback).receive(false);
        return true;
    }

    private static boolean hasBody(Request request) {
        return request.getLength() > 0 || request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING);
    }

    /** A body that is being received. */
    private final class Receipt implements Invocable.Task {
        private final PacedRequest request;
        private final Response response;
        private final Callback callback;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();

        Receipt(PacedRequest request, Response response, Callback callback) {
            this.request = request;
            this.response = response;
            this.callback = callback;
        }

        @Override
        public void run() {
            receive(true);
        }

        @Override
        public InvocationType getInvocationType() {
            return InvocationType.NON_BLOCKING;
        }

        void receive(boolean later) {
            while (true) {
                Content.Chunk chunk = request.read();
                if (chunk == null) {
                    request.demand(this);
                    return;
                }
                if (Content.Chunk.isFailure(chunk)) {
                    free.release();
                    refuse(chunk.getFailure());
                    return;
                }
                ByteBuffer bytes = chunk.getByteBuffer();
                while (bytes.hasRemaining()) {
                    body.write(bytes.get());
                }
                boolean last = chunk.isLast();
                chunk.release();
                if (last) {
                    free.release();
                    if (later) {
                        request.getContext().execute(this::passOn);
                    } else {
                        passOn();
                    }
                    return;
                }
            }
        }

        private void refuse(Throwable failure) {
            if (failure instanceof UnfitBodyException unfit) {
                refusals.unfit(response, callback, unfit);
            } else {
                Response.writeError(request, response, callback, failure);
            }
        }

        private void passOn() {
            Request received = new Received(request, body.toByteArray());
            try {
                if (!BodyReceiver.super.handle(received, response, callback)) {
                    Response.writeError(received, response, callback, HttpStatus.NOT_FOUND_404);
                }
            } catch (Exception e) { // else lost: the server does not see failures of requests passed on later
                Response.writeError(received, response, callback, e);
            }
        }
    }

    /** A request whose body has been received. */
    private static final class Received extends Request.Wrapper {
        private final Content.Source body;

        Received(Request request, byte[] body) {
            super(request);
            this.body = new ByteBufferContentSource(ByteBuffer.wrap(body));
        }

        @Override
        public Content.Chunk read() {
            return body.read();
        }

        @Override
        public void demand(Runnable more) {
            body.demand(more);
        }

        @Override
        public void fail(Throwable failure) {
            body.fail(failure);
            super.fail(failure);
        }
    }
}
