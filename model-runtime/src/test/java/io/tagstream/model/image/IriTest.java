/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.net.IDN;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What servers are asked for when references and redirects have characters beyond ASCII. */
@Timeout(60)
class IriTest {
    private static final byte[] BODY = {1, 2, 3};
    private static final String TOKYO = "/photo/%E6%9D%B1%E4%BA%AC.jpg";

    @TempDir
    Path folder;

    private HostileServer server;

    @BeforeEach
    void start() throws Exception {
        server = new HostileServer(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    @ParameterizedTest
    @CsvSource({
        "/photo/\u6771\u4eac.jpg, /photo/%E6%9D%B1%E4%BA%AC.jpg",
        // as given: composed, decomposed
        "/caf\u00e9.jpg, /caf%C3%A9.jpg",
        "/cafe\u0301.jpg, /cafe%CC%81.jpg",
        "/\u1e9b\u0323, /%E1%BA%9B%CC%A3",
        // outside the basic plane, joined, and spaces beyond ASCII
        "/\ud83d\udc15.jpg, /%F0%9F%90%95.jpg",
        "/\ud83d\udc69\u200d\ud83d\udc66.jpg, /%F0%9F%91%A9%E2%80%8D%F0%9F%91%A6.jpg",
        "/Screenshot%20at%209.00\u202fAM.png, /Screenshot%20at%209.00%E2%80%AFAM.png",
        "/\u5199\u771f\u3000\u4e00.jpg, /%E5%86%99%E7%9C%9F%E3%80%80%E4%B8%80.jpg",
        // percent-encoded already, and characters that need no encoding
        "/photo/%E6%9D%B1%e4%ba%ac.jpg, /photo/%E6%9D%B1%e4%ba%ac.jpg",
        "/%41%2F%2f%7e~%C3\u00a9, /%41%2F%2f%7e~%C3%C2%A9",
        "'/a;b=c,d:e@f!$&()*+\u00e9', '/a;b=c,d:e@f!$&()*+%C3%A9'",
        "/?q=\u6771+\u4eac&r=%e6%9d%b1, /?q=%E6%9D%B1+%E4%BA%AC&r=%e6%9d%b1",
        "/a?b=c/\u00e9?d#\u00e9, /a?b=c/%C3%A9?d"
    })
    void shouldAskForLettersByTheirUtf8(String reference, String asked) throws Exception {
        server.serve(asked.replaceFirst("[?].*", ""), IriTest::answer);
        fetch(server.url(reference));
        assertThat(server.requests()).containsExactly("GET " + asked + " HTTP/1.1");
    }

    /** The texts stand for bytes, each shown as its Latin-1 character. */
    @ParameterizedTest
    @CsvSource({
        "/photo/\u00e6\u009d\u00b1\u00e4\u00ba\u00ac.jpg, /photo/%E6%9D%B1%E4%BA%AC.jpg",
        "/photo/%E6%9D%B1%e4%ba%ac.jpg, /photo/%E6%9D%B1%e4%ba%ac.jpg",
        // decomposed
        "/cafe\u00cc\u0081.jpg, /cafe%CC%81.jpg",
        // Latin-1 and Shift JIS, which are not UTF-8
        "/caf\u00e9.jpg, /caf%E9.jpg",
        "/\u0093\u008c.jpg, /%93%8C.jpg",
        "/my photo.jpg, /my%20photo.jpg",
        "'/\"<>\\^`{|}?\"<>\\^`{|}', /%22%3C%3E%5C%5E%60%7B%7C%7D?%22%3C%3E%5C%5E%60%7B%7C%7D",
        "\u00c3\u00a9?q=\u00c3\u00a9, /%C3%A9?q=%C3%A9",
        "/100%.jpg, /100%25.jpg",
        "/100%/50%2g/%4a.jpg?half=50%, /100%25/50%252g/%4a.jpg?half=50%25",
        "/photo[1].jpg?crop[0]=1, /photo%5B1%5D.jpg?crop[0]=1"
    })
    void shouldFollowRedirectsToLettersByTheirBytes(String location, String asked) throws Exception {
        server.serve(asked.replaceFirst("[?].*", ""), IriTest::answer);
        fetch(server.redirect(location));
        assertThat(server.requests()).hasSize(2).last().isEqualTo("GET " + asked + " HTTP/1.1");
    }

    @Test
    void shouldFollowRedirectsWithLettersToOtherHosts() throws Exception {
        server.serve(TOKYO, IriTest::answer);
        String location = "http://\u6771\u4eac.test:" + server.port() + "/photo/\u6771\u4eac.jpg";
        String bytes = new String(location.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        fetch(server.redirect(bytes));
        assertThat(server.requests()).hasSize(2).last().isEqualTo("GET " + TOKYO + " HTTP/1.1");
    }

    @ParameterizedTest
    @CsvSource({
        "\u6771\u4eac.test, xn--1lqs71d.test",
        "M\u00dcNCHEN.test, xn--mnchen-3ya.test",
        "m\u00fcnchen.test, xn--mnchen-3ya.test",
        "xn--mnchen-3ya.test, xn--mnchen-3ya.test",
        // the ASCII form of a name that would become fass.test
        "xn--fa-hia.test, xn--fa-hia.test"
    })
    void shouldAskHostsByTheirNamesInAscii(String host, String asked) throws Exception {
        List<String> hosts = new CopyOnWriteArrayList<>();
        HttpServer http =
                HttpServer.create(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0), 0);
        http.createContext("/", exchange -> {
            hosts.add(exchange.getRequestHeaders().getFirst("Host"));
            exchange.sendResponseHeaders(200, BODY.length);
            exchange.getResponseBody().write(BODY);
            exchange.close();
        });
        http.start();
        try {
            int port = http.getAddress().getPort();
            fetch("http://%s:%d%s".formatted(host, port, TOKYO));
            assertThat(hosts).containsExactly(asked + ":" + port);
        } finally {
            http.stop(0);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // letters that mean one name by the older rules and another by the newer
                "fa\u00df.test",
                "\u03b2\u03cc\u03bb\u03bf\u03c2.test",
                "a\u200db.test",
                // letters that are replaced by others
                "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
                "example.test\uff0fa",
                "mu\u0308nchen.test",
                "m\u00fcnchen\u3002test",
                // not names
                "m\u00fcnchen..test",
                "\ud83d\udc15.test"
            })
    void shouldRefuseNamesThatCanMeanMoreThanOneOrNone(String host) {
        assertThatThrownBy(() -> fetch("http://" + host + ":80/a.jpg"))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.BAD_REFERENCE))
                .hasMessageContaining("write it in ASCII, as xn--…");
    }

    @Test
    void shouldRefuseHalfACharacter() {
        assertThatThrownBy(() -> fetch(server.url("/\ud83d.jpg")))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.BAD_REFERENCE))
                .hasMessageContaining("half a character");
        assertThat(server.requests()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\u6771\u4eac.jpg", "cafe\u0301.jpg", "caf\u00e9.jpg", "9.00\u202fAM.jpg"})
    void shouldReadFilesByTheUtf8OfTheirNames(String name) throws Exception {
        String encoded = Iri.encoded(folder.toUri() + name);
        // by its URI, because Java may not support such letters in file names
        Files.write(Path.of(URI.create(encoded)), BODY);
        fetch(folder.toUri() + name);
        fetch(encoded);
    }

    private static void answer(OutputStream out) throws IOException {
        out.write(HostileServer.head(200, "Content-Length: " + BODY.length));
        out.write(BODY);
    }

    private void fetch(String reference) throws Exception {
        FetchOptions options = FetchOptions.builder().fileRoots(List.of(folder)).build();
        try (ImageFetcher fetcher = new ImageFetcher(options, new AddressPolicy(true, new AsciiNames()));
                EncodedImage image = fetcher.fetch(new ImageRequest(reference, Optional.empty()))) {
            assertThat(image.bytes()).isEqualTo(BODY);
        }
    }

    /** A name server with names in ASCII, like all name servers. It is asked in the same way as the system's. */
    private static final class AsciiNames implements DnsResolver {
        private static final Set<String> NAMES =
                Set.of("127.0.0.1", "xn--1lqs71d.test", "xn--mnchen-3ya.test", "xn--fa-hia.test");

        @Override
        public InetAddress[] resolve(String host) throws UnknownHostException {
            if (NAMES.contains(IDN.toASCII(host))) {
                return new InetAddress[] {InetAddress.getByAddress(host, new byte[] {127, 0, 0, 1})};
            }
            throw new UnknownHostException(host);
        }

        @Override
        public String resolveCanonicalHostname(String host) {
            return host;
        }
    }
}
