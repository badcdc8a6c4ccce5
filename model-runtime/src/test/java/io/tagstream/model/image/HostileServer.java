/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An attacker's HTTP server, which sends any bytes at any pace.
 *
 * <p><i>Threading notes.</i> Each connection has a thread. All methods may be called from any thread.
 */
final class HostileServer implements AutoCloseable {
    private final ServerSocket listener;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final Queue<String> requests = new ConcurrentLinkedQueue<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final AtomicInteger paths = new AtomicInteger();

    /** Writes a whole response, head and body; then the connection is closed. */
    interface Answer {
        void write(OutputStream out) throws IOException, InterruptedException;
    }

    HostileServer(InetAddress address) throws IOException {
        listener = new ServerSocket(0, 50, address);
        threads.execute(this::accept);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                threads.execute(() -> answer(socket));
            } catch (SocketException e) {
                if (!listener.isClosed()) {
                    throw new IllegalStateException(e);
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private void answer(Socket socket) {
        try (socket) {
            BufferedReader reader =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
            String request = reader.readLine();
            if (request == null) {
                return;
            }
            requests.add(request);
            String line = reader.readLine();
            while (line != null && !line.isEmpty()) {
                line = reader.readLine();
            }
            Answer answer = answers.get(request.replaceFirst("GET ([^ ?]*).*", "$1"));
            if (answer != null) {
                answer.write(socket.getOutputStream());
            }
        } catch (IOException e) {
            // the client has gone, as it usually should
            requests.add("broken off: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    int port() {
        return listener.getLocalPort();
    }

    /** The first lines of requests, and how aborted requests ended. */
    Queue<String> requests() {
        return requests;
    }

    String url(String path) {
        return "http://127.0.0.1:" + port() + path;
    }

    /** Answers at a new address, and returns the address. */
    String serve(Answer answer) {
        return serve("/" + paths.incrementAndGet(), answer);
    }

    String serve(String path, Answer answer) {
        answers.put(path, answer);
        return url(path);
    }

    /** A correct response. */
    String serve(byte[] body, String contentType) {
        return serve(out -> {
            out.write(head(200, "Content-Type: " + contentType, "Content-Length: " + body.length));
            out.write(body);
        });
    }

    String redirect(String location) {
        return serve(out -> out.write(head(302, "Location: " + location, "Content-Length: 0")));
    }

    /** A status line and headers, in Latin-1. */
    static byte[] head(int status, String... headers) {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        head.writeBytes(latin1("HTTP/1.1 " + status + " As you wish\r\n"));
        for (String header : headers) {
            head.writeBytes(latin1(header + "\r\n"));
        }
        head.writeBytes(latin1("Connection: close\r\n\r\n"));
        return head.toByteArray();
    }

    static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Writes the bytes again and again, with pauses, until the client or the test ends it. */
    void repeat(OutputStream out, byte[] bytes, long pauseMillis) throws IOException, InterruptedException {
        while (!closed.await(pauseMillis, TimeUnit.MILLISECONDS)) {
            out.write(bytes);
            out.flush();
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        closed.countDown();
        listener.close();
        threads.shutdownNow();
        if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException("a connection does not end");
        }
    }
}
