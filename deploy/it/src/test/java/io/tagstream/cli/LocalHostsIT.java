/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.tagstream.it.InRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images from hosts whose names the system's resolver maps to this machine. */
@InRun
class LocalHostsIT {
    private static final String HOST = "mapped.test";

    @TempDir
    Path folder;

    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;
    private List<String> program;

    @BeforeEach
    void serve() throws Exception {
        program = HostsFile.with(folder, "::ffff:127.0.0.1 " + HOST);
        byte[] photo = Files.readAllBytes(CommandProcess.SAMPLES.resolve("cat.jpg"));
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            exchange.sendResponseHeaders(200, photo.length);
            exchange.getResponseBody().write(photo);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.stop(0);
        }
    }

    @Test
    void shouldNotReachThisMachineByAnIpv4AddressInsideAnIpv6Address() throws Exception {
        JsonNode failure = outcome().path("failure");
        assertThat(failure.path("reason").asText()).isEqualTo("FETCH_BLOCKED");
        assertThat(failure.path("message").asText()).contains(HOST + " is a name of a private address");
        assertThat(requests).hasValue(0);
    }

    @Test
    void shouldReachItSoWherePrivateAddressesAreAllowed() throws Exception {
        assertThat(outcome("--set", "fetch.allow.private=true").path("tags"))
                .extracting(tag -> tag.path("labelId").asText())
                .contains("cat");
        assertThat(requests).hasValue(1);
    }

    private JsonNode outcome(String... more) throws IOException, InterruptedException {
        String url =
                "http://%s:%d/photo.jpg".formatted(HOST, server.getAddress().getPort());
        List<String> arguments = Stream.concat(Stream.of("local", url, "--once", "--json"), Stream.of(more))
                .toList();
        try (CommandProcess command = CommandProcess.startUnder(program, arguments.toArray(String[]::new))) {
            CommandProcess.Run run = command.awaitEnd();
            assertThat(run.byImageId()).as(run.errors()).containsOnlyKeys(url);
            return run.byImageId().get(url);
        }
    }
}
