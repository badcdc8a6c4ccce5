/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static io.tagstream.model.image.HostileServer.head;
import static io.tagstream.model.image.HostileServer.latin1;

import io.tagstream.model.FailureReason;
import io.tagstream.model.image.HostileCase.Expected;
import io.tagstream.model.image.HostileCase.Group;
import io.tagstream.model.image.HostileServer.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** What a server may do instead of sending an image. */
final class HostileResponses {
    private static final byte[] PNG = Quarters.png(40, 30);
    private static final Expected FAILED = HostileCase.refused(FailureReason.FETCH_FAILED);
    private static final Expected TOO_LARGE = HostileCase.refused(
            FailureReason.TOO_LARGE, "more than the " + HostileInputTest.MAX_BYTES + " bytes", "raise maxBytes");
    private static final Expected LATE = HostileCase.refused(
            FailureReason.FETCH_TIMEOUT, "did not deliver the image within 600 ms", "raise timeout");
    private static final int LONG_PAUSE = 20;

    private HostileResponses() {}

    /** An answer that may use the server's clock. */
    private interface Script {
        void write(OutputStream out, HostileServer server) throws IOException, InterruptedException;
    }

    static Stream<HostileCase> cases() {
        return Stream.of(bodies(), heads(), encodings(), slow()).flatMap(cases -> cases);
    }

    private static Stream<HostileCase> bodies() {
        byte[] block = new byte[64 * 1024];
        byte[] chunk = latin1("10000\r\n" + "x".repeat(0x10000) + "\r\n");
        return Stream.of(
                response("a body without an end", TOO_LARGE, (out, server) -> {
                    out.write(head(200));
                    server.repeat(out, block, 0);
                }),
                response("chunks without an end", TOO_LARGE, (out, server) -> {
                    out.write(head(200, "Transfer-Encoding: chunked"));
                    server.repeat(out, chunk, 0);
                }),
                response("an image with a tail without an end", TOO_LARGE, (out, server) -> {
                    out.write(head(200));
                    out.write(PNG);
                    server.repeat(out, block, 0);
                }),
                response(
                        "a terabyte announced",
                        TOO_LARGE,
                        out -> out.write(head(200, "Content-Length: " + (1L << 40)))),
                response("a negative length", FAILED, out -> {
                    out.write(head(200, "Content-Length: -5"));
                    out.write(PNG);
                }),
                response("a length beyond all numbers", FAILED, out -> {
                    out.write(head(200, "Content-Length: 99999999999999999999999"));
                    out.write(PNG);
                }),
                response("a length too short", HostileCase.refused(FailureReason.CORRUPT_IMAGE, "truncated"), out -> {
                    out.write(head(200, "Content-Length: " + PNG.length / 2));
                    out.write(PNG);
                }),
                response("a length too long", FAILED, out -> {
                    out.write(head(200, "Content-Length: " + 2 * PNG.length));
                    out.write(PNG);
                }),
                response(
                        "nothing",
                        HostileCase.refused(FailureReason.UNSUPPORTED_FORMAT, "empty"),
                        out -> out.write(head(200, "Content-Length: 0"))),
                response("a chunk without a size", FAILED, out -> {
                    out.write(head(200, "Transfer-Encoding: chunked"));
                    out.write(latin1("here\r\n"));
                }),
                response("a chunk beyond all numbers", FAILED, out -> {
                    out.write(head(200, "Transfer-Encoding: chunked"));
                    out.write(latin1("ffffffffffffffffff\r\n"));
                }),
                response("a chunk's size without an end", FAILED, (out, server) -> {
                    out.write(head(200, "Transfer-Encoding: chunked"));
                    server.repeat(out, latin1("1".repeat(10_000)), 0);
                }),
                response("trailers without an end", FAILED, (out, server) -> {
                    out.write(head(200, "Transfer-Encoding: chunked"));
                    out.write(latin1("1\r\nx\r\n0\r\n"));
                    server.repeat(out, latin1("A: b\r\n".repeat(100)), 0);
                }));
    }

    private static Stream<HostileCase> heads() {
        return Stream.of(
                response("a header without an end", FAILED, (out, server) -> {
                    out.write(latin1("HTTP/1.1 200 OK\r\nA: "));
                    server.repeat(out, latin1("x".repeat(10_000)), 0);
                }),
                response("headers without an end", FAILED, (out, server) -> {
                    out.write(latin1("HTTP/1.1 200 OK\r\n"));
                    server.repeat(out, latin1("A: b\r\n".repeat(100)), 0);
                }),
                response("a status line without an end", FAILED, (out, server) -> {
                    out.write(latin1("HTTP/1.1 200 "));
                    server.repeat(out, latin1("x".repeat(10_000)), 0);
                }),
                response("a line continued without an end", FAILED, (out, server) -> {
                    out.write(latin1("HTTP/1.1 200 OK\r\nA: b\r\n"));
                    server.repeat(out, latin1(" c\r\n".repeat(100)), 0);
                }),
                response("another protocol", FAILED, out -> out.write(latin1("SSH-2.0-OpenSSH_9.2\r\n\r\n"))),
                response("an image without a head", FAILED, out -> out.write(PNG)),
                response("a hung-up connection", FAILED, out -> {}),
                response("half a head", FAILED, out -> out.write(latin1("HTTP/1.1 200 OK\r\nContent-Le"))),
                response("a part of an image", FAILED, out -> {
                    out.write(head(206, "Content-Range: bytes 0-9/100", "Content-Length: 10"));
                    out.write(PNG, 0, 10);
                }),
                response("no content", FAILED, out -> out.write(head(204))),
                response("no change", FAILED, out -> out.write(head(304))),
                response(
                        "a question for a password",
                        HostileCase.refused(FailureReason.FETCH_FORBIDDEN),
                        out -> out.write(head(401, "WWW-Authenticate: Basic realm=\"x\"", "Content-Length: 0"))),
                response(
                        "a question for a proxy's password",
                        HostileCase.refused(FailureReason.FETCH_FORBIDDEN),
                        out -> out.write(head(407, "Proxy-Authenticate: NTLM", "Content-Length: 0"))));
    }

    private static Stream<HostileCase> encodings() {
        Expected picture = HostileCase.decoded(40, 30);
        byte[] bomb = gzip(new byte[50_000_000]);
        return Stream.of(
                encoded("gzip, an image", "gzip", gzip(PNG), picture),
                encoded("gzip, 50 MB of zeros", "gzip", bomb, HostileCase.refused(FailureReason.TOO_LARGE)),
                encoded("gzip twice", "gzip, gzip", gzip(gzip(PNG)), picture),
                encoded("gzip said, an image sent", "gzip", PNG, picture),
                encoded("an encoding nobody knows", "x-unknown", PNG, picture));
    }

    private static Stream<HostileCase> slow() {
        return Stream.of(
                slow("no answer", (out, server) -> server.repeat(out, new byte[0], LONG_PAUSE)),
                slow("a head, byte by byte", (out, server) -> {
                    out.write(latin1("HTTP/1.1 200 OK\r\nA: "));
                    server.repeat(out, latin1("x"), LONG_PAUSE);
                }),
                slow("headers, one by one", (out, server) -> {
                    out.write(latin1("HTTP/1.1 200 OK\r\n"));
                    server.repeat(out, latin1("A: b\r\n"), LONG_PAUSE);
                }),
                slow(
                        "interim answers without an end",
                        (out, server) -> server.repeat(out, latin1("HTTP/1.1 103 Early Hints\r\n\r\n"), LONG_PAUSE)),
                slow("a body, byte by byte", (out, server) -> {
                    out.write(head(200, "Content-Length: 1000000"));
                    server.repeat(out, latin1("x"), LONG_PAUSE);
                }),
                slow("chunks, byte by byte", (out, server) -> {
                    out.write(head(200, "Transfer-Encoding: chunked"));
                    server.repeat(out, latin1("1\r\nx\r\n"), LONG_PAUSE);
                }),
                slow("an image that lacks its last byte", (out, server) -> {
                    out.write(head(200, "Content-Length: " + PNG.length));
                    out.write(PNG, 0, PNG.length - 1);
                    server.repeat(out, new byte[0], LONG_PAUSE);
                }));
    }

    private static HostileCase encoded(String name, String encoding, byte[] body, Expected expected) {
        return response("content encoding: " + name, expected, out -> {
            out.write(head(200, "Content-Encoding: " + encoding, "Content-Length: " + body.length));
            out.write(body);
        });
    }

    private static HostileCase response(String name, Expected expected, Answer answer) {
        return new HostileCase(Group.RESPONSES, name, server -> server.serve(answer), expected);
    }

    private static HostileCase response(String name, Expected expected, Script script) {
        return new HostileCase(
                Group.RESPONSES, name, server -> server.serve(out -> script.write(out, server)), expected);
    }

    private static HostileCase slow(String name, Script script) {
        return new HostileCase(Group.SLOWNESS, name, server -> server.serve(out -> script.write(out, server)), LATE);
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
