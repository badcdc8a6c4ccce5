/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import io.tagstream.model.image.HostileCase.Expected;
import io.tagstream.model.image.HostileCase.Group;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Addresses that nothing may be fetched from, in all the ways to write them. */
final class HostileAddresses {
    private static final List<String> LITERALS = List.of(
            // loopback, and other addresses of this host
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            // private networks
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "198.18.0.1",
            "[fc00::1]",
            "[fd12:3456:789a::1]",
            "[fec0::1]",
            // link-local
            "169.254.0.1",
            "[fe80::1]",
            "[fe80::1%1]",
            "[febf:ffff::1]",
            // metadata services of clouds
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "[fd00:ec2::254]",
            "[fd20:ce::254]",
            // IPv4 addresses inside IPv6 addresses
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:a9fe:a9fe]",
            "[0:0:0:0:0:ffff:10.0.0.1]",
            "[::127.0.0.1]",
            "[::7f00:1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b::169.254.169.254]",
            "[64:ff9b:1::a00:1]",
            "[2002:7f00:1::]",
            "[2002:a9fe:a9fe::1]",
            "[2001:0:7f00:1::]",
            "[2001:0:808:808:0:0:80ff:fffe]",
            "[::ffff:0:127.0.0.1]",
            // multicast, broadcast, reserved, documentation
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "203.0.113.9",
            "[ff02::1]",
            "[2001:db8::1]",
            "[100::1]");

    /**
     * Forms that a resolver may take for an address (POSIX, inet_aton), and names with addresses of the attacker's
     * choice.
     */
    private static final Map<String, List<String>> NAMES = Map.ofEntries(
            Map.entry("2130706433", List.of("127.0.0.1")),
            Map.entry("0x7f000001", List.of("127.0.0.1")),
            Map.entry("0x7f.0x0.0x0.0x1", List.of("127.0.0.1")),
            Map.entry("0x7f.1", List.of("127.0.0.1")),
            Map.entry("017700000001", List.of("127.0.0.1")),
            Map.entry("0177.0.0.1", List.of("127.0.0.1")),
            Map.entry("127.1", List.of("127.0.0.1")),
            Map.entry("127.0.1", List.of("127.0.0.1")),
            Map.entry("0", List.of("0.0.0.0")),
            Map.entry("2852039166", List.of("169.254.169.254")),
            Map.entry("0xa9fea9fe", List.of("169.254.169.254")),
            Map.entry("10.1", List.of("10.0.0.1")),
            Map.entry("loopback.test", List.of("127.0.0.1")),
            Map.entry("loopback.test.", List.of("127.0.0.1")),
            Map.entry("six.test", List.of("::1")),
            Map.entry("mapped.test", List.of("::ffff:127.0.0.1")),
            Map.entry("compatible.test", List.of("::10.0.0.1")),
            Map.entry("mapped-metadata.test", List.of("::ffff:169.254.169.254")),
            Map.entry("mapped-private.test", List.of("::ffff:10.0.0.5")),
            Map.entry("translated.test", List.of("::ffff:0:127.0.0.1")),
            Map.entry("nat64.test", List.of("64:ff9b::a9fe:a9fe")),
            Map.entry("local-nat64.test", List.of("64:ff9b:1::a00:5")),
            Map.entry("6to4.test", List.of("2002:7f00:1::1")),
            // Teredo holds the client's address with all bits inverted
            Map.entry("teredo-client.test", List.of("2001:0:808:808:0:0:80ff:fffe")),
            Map.entry("teredo-server.test", List.of("2001:0:7f00:1:0:0:f7f7:f7f7")),
            Map.entry("mapped-after-public.test", List.of("8.8.8.8", "2600::1", "::ffff:127.0.0.1")),
            Map.entry("mapped-before-public.test", List.of("::ffff:10.0.0.5", "8.8.8.8")),
            Map.entry("private.test", List.of("192.168.1.1")),
            Map.entry("metadata.test", List.of("169.254.169.254")),
            Map.entry("zone.test", List.of("fe80::1")),
            Map.entry("first-public.test", List.of("8.8.8.8", "127.0.0.1")),
            Map.entry("last-public.test", List.of("10.0.0.1", "8.8.8.8")),
            Map.entry("six-and-four.test", List.of("2600::1", "fd00::1")));

    private HostileAddresses() {}

    /** What the attacker's name server says. */
    static Optional<List<String>> addressesOf(String host) {
        return Optional.ofNullable(NAMES.get(host));
    }

    static Stream<HostileCase> cases(Expected blocked) {
        Stream<HostileCase> literals = LITERALS.stream()
                .map(host -> HostileCase.of(Group.ADDRESSES, host, "http://" + host + ":1/latest/meta-data/", blocked));
        Stream<HostileCase> names = Stream.concat(NAMES.keySet().stream().sorted(), Stream.of("localhost", "LOCALHOST"))
                .map(host -> HostileCase.of(Group.NAMES, host, "https://" + host + ":1/", blocked));
        return Stream.of(literals, names, others()).flatMap(cases -> cases);
    }

    private static Stream<HostileCase> others() {
        Expected bad = HostileCase.refused(FailureReason.BAD_REFERENCE);
        Expected unknown = HostileCase.refused(FailureReason.FETCH_FAILED, "does not resolve");
        return Stream.of(
                HostileCase.of(Group.ADDRESSES, "user in front", "http://example.org@127.0.0.1/", bad),
                HostileCase.of(Group.ADDRESSES, "password in front", "http://a:b@[::1]/", bad),
                HostileCase.of(Group.ADDRESSES, "backslash", "http://example.org\\@127.0.0.1/", bad),
                HostileCase.of(Group.ADDRESSES, "no host", "http:///127.0.0.1/", bad),
                HostileCase.of(Group.ADDRESSES, "no authority", "http:127.0.0.1", bad),
                HostileCase.of(Group.ADDRESSES, "full-width digits", "http://１２７.０.０.１/", bad),
                HostileCase.of(Group.ADDRESSES, "an escaped zone", "http://[fe80::1%25lo]/", unknown),
                HostileCase.of(Group.ADDRESSES, "an escaped dot", "http://127%2e0%2e0%2e1/", unknown),
                HostileCase.of(Group.ADDRESSES, "other scheme", "gopher://127.0.0.1:6379/_FLUSHALL", bad),
                HostileCase.of(Group.ADDRESSES, "archive", "jar:http://127.0.0.1/a.jar!/b.png", bad));
    }

    /** Where the attacker's server redirects to. */
    static Stream<HostileCase> redirects(Expected blocked) {
        Expected notHttp = HostileCase.refused(FailureReason.FETCH_BLOCKED, "only http and https");
        Stream<HostileCase> inside = Stream.of(
                        "http://127.0.0.2:1/",
                        "http://[::1]:1/",
                        "http://0.0.0.0:1/",
                        "http://10.0.0.1/",
                        "//10.0.0.1/",
                        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
                        "https://169.254.169.254/",
                        "http://[::ffff:169.254.169.254]/",
                        "http://[fe80::1%1]/",
                        "http://2852039166/",
                        "http://0xa9fea9fe/",
                        "http://metadata.test/",
                        "http://last-public.test/",
                        "http://[::ffff:7f00:2]:1/",
                        "http://mapped.test:1/",
                        "http://mapped-metadata.test/",
                        "http://mapped-after-public.test/")
                .map(location -> redirect(location, blocked));
        Stream<HostileCase> out = Stream.of(
                        "file:///etc/passwd",
                        "file:/etc/passwd",
                        "ftp://example.org/a.jpg",
                        "gopher://example.org/1",
                        "jar:http://example.org/a.jar!/a.png",
                        "data:image/png;base64,AAAA",
                        "javascript:alert(1)",
                        "mailto:a@example.org")
                .map(location -> redirect(location, notHttp));
        Stream<HostileCase> others = Stream.of(
                redirect("http://a b/", HostileCase.refused(FailureReason.BAD_REFERENCE, "which is not a URI")),
                redirect(
                        "http://user@127.0.0.1/", HostileCase.refused(FailureReason.BAD_REFERENCE, "user or password")),
                redirect("http:///", HostileCase.refused(FailureReason.BAD_REFERENCE)),
                new HostileCase(
                        Group.REDIRECTS,
                        "two redirects, the second inside",
                        server -> server.redirect(server.redirect("http://192.168.1.1/")),
                        blocked),
                new HostileCase(
                        Group.REDIRECTS,
                        "a redirect without an end",
                        server -> {
                            String path = "/loop-" + server.port();
                            return server.serve(
                                    path,
                                    answer -> answer.write(HostileServer.head(
                                            302, "Location: " + path + "?again", "Content-Length: 0")));
                        },
                        HostileCase.refused(FailureReason.FETCH_BLOCKED, "more than 5 times", "maxRedirects")));
        return Stream.of(inside, out, others).flatMap(cases -> cases);
    }

    private static HostileCase redirect(String location, Expected expected) {
        return new HostileCase(Group.REDIRECTS, location, server -> server.redirect(location), expected);
    }
}
