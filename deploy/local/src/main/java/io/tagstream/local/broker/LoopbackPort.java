/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.broker;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Ports of the loopback address. */
public final class LoopbackPort {
    /** The loopback address, as a literal that needs no name resolution. */
    public static final String HOST = "127.0.0.1";

    private LoopbackPort() {}

    /**
     * Resolves the port that a server was asked to use.
     *
     * @param port port in [1, 65535], or 0 for any free one
     * @param server what will listen there, for the message
     * @return the port; a free one for 0
     * @throws BindException when something listens there already
     */
    public static int resolve(int port, String server) throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port));
            return socket.getLocalPort();
        } catch (BindException inUse) {
            throw inUse(port, server, inUse);
        }
    }

    /** A free port other than {@code reserved}, at which nothing listens yet. */
    static int freeBut(int reserved, String server) throws IOException {
        int port = resolve(0, server);
        while (port == reserved) {
            port = resolve(0, server);
        }
        return port;
    }

    public static BindException inUse(int port, String server, Throwable cause) {
        BindException exception = new BindException("Port " + port + " of " + HOST + ", needed for the " + server
                + ", is in use: stop the process that listens there, or choose another port");
        exception.initCause(cause);
        return exception;
    }
}
