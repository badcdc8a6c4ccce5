/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Clients that begin a request and then send a byte now and then, so that no connection is ever idle. */
public final class SlowClients implements AutoCloseable {
    /** The beginning of a file in a body of type multipart/form-data, with the boundary x. */
    public static final String PART =
            "--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.jpg\"\r\n\r\n";

    private static final int SEND_MILLIS = 200;
    private static final int PATIENCE_MILLIS = 60_000;

    private final int port;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService sender = Executors.newSingleThreadScheduledExecutor();
    private final Future<?> sending;

    public SlowClients(int port) {
        this.port = port;
        sending = sender.scheduleWithFixedDelay(this::sendAByte, SEND_MILLIS, SEND_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Opens a connection and sends the beginning of a request. */
    public Socket begin(String text) throws IOException {
        Socket socket = open();
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        sockets.add(socket);
        return socket;
    }

    /** Opens a connection that sends nothing by itself. */
    public Socket open() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    /** Waits for the whole answer; empty if the connection is closed without one. */
    public static String answer(Socket socket) {
        StringBuilder answer = new StringBuilder();
        try {
            int next = socket.getInputStream().read();
            while (next >= 0) {
                answer.append((char) next);
                next = socket.getInputStream().read();
            }
        } catch (java.net.SocketTimeoutException e) {
            throw new AssertionError("The connection is still open; so far the answer is: " + answer, e);
        } catch (IOException reset) {
            return answer.toString(); // closed while bytes of the request were still in transit
        }
        return answer.toString();
    }

    private void sendAByte() {
        sockets.removeIf(socket -> !takesAByte(socket));
    }

    private static boolean takesAByte(Socket socket) {
        try {
            socket.getOutputStream().write('x');
            return true;
        } catch (IOException closed) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        sending.cancel(false);
        sender.shutdown();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
