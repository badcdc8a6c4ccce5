/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.image.HostileCase.Expected;
import io.tagstream.model.image.HostileCase.Group;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Files that must not be read, and texts that must not be repeated. */
final class HostileFiles {
    private HostileFiles() {}

    /** The folder {@code root} may be read, and nothing beside it. */
    static void prepare(Path folder) throws IOException {
        Path root = Files.createDirectories(folder.resolve("root/inner"))
                .resolve("..")
                .normalize();
        Files.write(root.resolve("image.png"), Quarters.png(40, 30));
        Path secret = Files.write(folder.resolve("secret.png"), Quarters.png(40, 30));
        Path closed = Files.createDirectory(folder.resolve("root-not"));
        Files.write(closed.resolve("image.png"), Quarters.png(40, 30));
        Files.createSymbolicLink(root.resolve("link.png"), secret);
        Files.createSymbolicLink(root.resolve("relative-link.png"), Path.of("..", "secret.png"));
        Files.createSymbolicLink(root.resolve("link-to-link.png"), root.resolve("link.png"));
        Files.createSymbolicLink(root.resolve("folder-link"), closed);
        Files.createSymbolicLink(root.resolve("good-link.png"), root.resolve("image.png"));
        Files.createSymbolicLink(root.resolve("loop.png"), root.resolve("loop.png"));
        Files.createSymbolicLink(root.resolve("nowhere.png"), folder.resolve("nothing-here.png"));
    }

    static Stream<HostileCase> cases(Path folder) {
        return Stream.concat(
                paths(folder.resolve("root").toUri().toString(), folder.toUri().toString()), texts());
    }

    private static Stream<HostileCase> paths(String root, String folder) {
        Expected blocked = HostileCase.refused(FailureReason.FETCH_BLOCKED, "outside the folders of fileRoots");
        Expected bad = HostileCase.refused(FailureReason.BAD_REFERENCE);
        Expected missing = HostileCase.refused(FailureReason.FETCH_NOT_FOUND);
        Expected good = HostileCase.decoded(40, 30);
        return Stream.of(
                file("inside", root + "image.png", good),
                file("a link that stays inside", root + "good-link.png", good),
                file("away and back", root + "inner/../image.png", good),
                file("beside the root", folder + "secret.png", blocked),
                file("a name that begins like the root's", folder + "root-not/image.png", blocked),
                file("of the system", "file:///etc/passwd", blocked),
                file("of the system, one slash", "file:/etc/passwd", blocked),
                file("of the process", "file:///proc/self/environ", blocked),
                file("a device", "file:///dev/zero", blocked),
                file("the root of all", "file:///", blocked),
                file("..", root + "../secret.png", blocked),
                file(".. of an inner folder", root + "inner/../../secret.png", blocked),
                file(".. of a folder that is not there", root + "none/../../secret.png", blocked),
                file(".. percent-encoded", root + "%2e%2e/secret.png", blocked),
                file("/ percent-encoded", root + "..%2fsecret.png", blocked),
                file("all percent-encoded", root + "%2E%2E%2Fsecret.png", blocked),
                file("percent-encoded twice", root + "%252e%252e%252fsecret.png", missing),
                file("backslashes", root + "..%5Csecret.png", missing),
                file("a link", root + "link.png", blocked),
                file("a relative link", root + "relative-link.png", blocked),
                file("a link to a link", root + "link-to-link.png", blocked),
                file("through a linked folder", root + "folder-link/image.png", blocked),
                file("a link to itself", root + "loop.png", HostileCase.refused(FailureReason.FETCH_FAILED)),
                file("a link to nothing", root + "nowhere.png", missing),
                file("nothing", root + "nothing.png", missing),
                file("a file as a folder", root + "image.png/a.png", missing),
                file("a folder", root + "inner", bad),
                file("the root itself", root, bad),
                file("a NUL character", root + "image.png%00.jpg", bad),
                file("a query", root + "../secret.png?a=b", blocked),
                file("a host", "file://server/share/secret.png", bad),
                file("a host by address", "file://127.0.0.1/etc/passwd", bad),
                file("four slashes", "file:////etc/passwd", blocked),
                file("four slashes and a host", "file:////server/share/secret.png", blocked),
                file("relative", "file:image.png", bad),
                file("no path", "file:", bad),
                file("a drive", "file:///C:/Windows/win.ini", blocked));
    }

    /** Each ends with a message that must not contain the control characters it quotes. */
    private static Stream<HostileCase> texts() {
        Expected bad = HostileCase.refused(FailureReason.BAD_REFERENCE);
        String forged = "%0A12:00:00.000%20ERROR%20%5Bmain%5D%20Tagstream:%20all%20is%20lost%1B%5B2J";
        return Stream.of(
                text("a line end in a URI", "http://127.0.0.1/\n12:00:00.000 ERROR forged", bad),
                text("a line end in a scheme", "ht\r\ntp://127.0.0.1/", bad),
                text("a line end in no URI", "a\nb", bad),
                text("an escape sequence", "x\u001b[2Jy:z", bad),
                text("a Unicode line end", "a\u2028b:c", bad),
                text("reversed writing", "file:///a\u202egpj.exe", HostileCase.refused(FailureReason.FETCH_BLOCKED)),
                text("half a character", "x\ud83d:y", bad),
                text("NUL", "\0", bad),
                text("nothing", "", bad),
                text("a megabyte", "x:" + "y".repeat(1 << 20), bad),
                text("in the name of a file", "file:///" + forged, HostileCase.refused(FailureReason.FETCH_BLOCKED)),
                text("in a file: URI's host", "file://a" + "%0A" + "b/c", bad),
                text(
                        "in data",
                        "data:image/png;base64,\n\u001b[31m!",
                        HostileCase.refused(FailureReason.UNSUPPORTED_FORMAT)),
                text("in a data URI without data", "data:\n\u001b[31m", bad),
                text("in a wrong escape of data", "data:,%\n1", bad),
                answer("in an HTML page", "<html>\n\u001b[31m\u0007\0" + "\n12:00 ERROR forged", "an HTML page"),
                answer("in text", "just\r\nwords\u0085", "text"),
                answer("in XML", "<?xml\u2028 version='1.0'?>", "an XML or HTML document"),
                answer("in JSON", "{\"a\":\n\u001b}", "JSON"),
                answer("in the brand of a video", "\0\0\0\u001cftyp\n\u001b\r\0", "a video"),
                new HostileCase(
                        Group.TEXT,
                        "in a redirect",
                        server -> server.redirect("http://127.0.0.1/\u001b[31m\u0085"),
                        HostileCase.refused(FailureReason.BAD_REFERENCE, "not a URI")),
                new HostileCase(
                        Group.TEXT,
                        "in a redirect that is one",
                        server -> server.redirect("gopher://127.0.0.1/" + forged),
                        HostileCase.refused(FailureReason.FETCH_BLOCKED)),
                new HostileCase(
                        Group.TEXT,
                        "in a status line",
                        server -> server.serve(out -> out.write(
                                HostileServer.latin1("HTTP/1.1 404 no\u001b[31m\u0085\r\nContent-Length: 0\r\n\r\n"))),
                        HostileCase.refused(FailureReason.FETCH_NOT_FOUND)),
                new HostileCase(
                        Group.TEXT,
                        "in place of a status line",
                        server ->
                                server.serve(out -> out.write(HostileServer.latin1("\u001b[31m\u0085 forged\r\n\r\n"))),
                        HostileCase.refused(FailureReason.FETCH_FAILED)),
                new HostileCase(
                        Group.TEXT,
                        "in place of a chunk's size",
                        server -> server.serve(out -> {
                            out.write(HostileServer.head(200, "Transfer-Encoding: chunked"));
                            out.write(HostileServer.latin1("\u001b[31m\u0085\r\n"));
                        }),
                        HostileCase.refused(FailureReason.FETCH_FAILED)));
    }

    private static HostileCase file(String name, String uri, Expected expected) {
        return HostileCase.of(Group.FILES, name, uri, expected);
    }

    private static HostileCase text(String name, String uri, Expected expected) {
        return HostileCase.of(Group.TEXT, name, uri, expected);
    }

    private static HostileCase answer(String name, String body, String described) {
        return new HostileCase(
                Group.TEXT,
                name,
                server -> server.serve(body.getBytes(java.nio.charset.StandardCharsets.UTF_8), "image/png"),
                HostileCase.refused(FailureReason.UNSUPPORTED_FORMAT, described));
    }
}
