/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.HostileCase.Decoded;
import io.tagstream.model.image.HostileCase.Expected;
import io.tagstream.model.image.HostileCase.Group;
import io.tagstream.model.image.HostileCase.Refused;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What strangers may submit who mean no good, from the reference to the pixels. Every case ends as the table says: refused
 * with a reason, or decoded. How many there are of each class stands in the page on security.
 */
@Timeout(60)
class HostileInputTest {
    static final long MAX_PIXELS = 20_000_000;
    static final int MAX_BYTES = 2_000_000;
    /** For the cases that only a timeout can end. */
    private static final Duration SHORT_TIMEOUT = Duration.ofMillis(600);

    private static final Path PAGE = Path.of("..", "deploy", "docs", "security.md");
    private static final Expected BLOCKED =
            HostileCase.refused(FailureReason.FETCH_BLOCKED, "is blocked", "set allowPrivateAddresses to true");

    @TempDir
    static Path folder;

    private static HostileServer server;

    private final ImageDecoder decoder = new ImageDecoder(
            Quarters.SIZE, Resize.SHORTEST_SIDE_CENTER_CROP, new PixelBudget(MAX_PIXELS, OptionNames.OF_THE_LIBRARY));

    @BeforeAll
    static void start() throws Exception {
        server = new HostileServer(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
        HostileFiles.prepare(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    static Stream<HostileCase> addresses() {
        return HostileAddresses.cases(BLOCKED);
    }

    static Stream<HostileCase> redirects() {
        return HostileAddresses.redirects(BLOCKED);
    }

    static Stream<HostileCase> images() {
        return Stream.of(HostileResponses.cases(), HostileFiles.cases(folder), HostileImages.cases())
                .flatMap(cases -> cases);
    }

    /** The default: no address of this machine or of a private network. */
    @ParameterizedTest
    @MethodSource("addresses")
    void shouldNotReachInside(HostileCase hostile) throws Exception {
        run(hostile, new AddressPolicy(AddressPolicy::isPrivate, new NameServer()));
    }

    /** The attacker's own server, on 127.0.0.1, stands for the outside world. */
    @ParameterizedTest
    @MethodSource("redirects")
    void shouldNotBeLedInside(HostileCase hostile) throws Exception {
        InetAddress outside = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        run(
                hostile,
                new AddressPolicy(
                        address -> AddressPolicy.isPrivate(address) && !address.equals(outside), new NameServer()));
    }

    @ParameterizedTest
    @MethodSource("images")
    void shouldEndAsTheTableSays(HostileCase hostile) throws Exception {
        run(hostile, new AddressPolicy(address -> false, new NameServer()));
    }

    @Test
    void shouldConnectToTheAddressThatWasJudged() throws Exception {
        AtomicInteger lookups = new AtomicInteger();
        DnsResolver rebinding = new NameServer() {
            @Override
            public InetAddress[] resolve(String host) throws UnknownHostException {
                // 127.0.0.1 first, and then another host
                return new InetAddress[] {
                    InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) lookups.incrementAndGet()})
                };
            }
        };
        String uri = server.serve(Quarters.png(8, 8), "image/png").replace("127.0.0.1", "rebinding.test");
        try (ImageFetcher fetcher =
                        new ImageFetcher(options().build(), new AddressPolicy(address -> false, rebinding));
                EncodedImage image = fetcher.fetch(new ImageRequest(uri, Optional.empty()))) {
            assertThat(image.bytes()).isEqualTo(Quarters.png(8, 8));
        }
        assertThat(lookups).hasValue(1);
    }

    @Test
    void shouldSayInThePageOnSecurityHowManyCasesThereAre() throws Exception {
        Map<Group, Long> counts = Stream.of(addresses(), redirects(), images())
                .flatMap(cases -> cases)
                .collect(Collectors.groupingBy(
                        HostileCase::group, () -> new EnumMap<>(Group.class), Collectors.counting()));
        assertThat(counts).containsOnlyKeys(Group.values());
        List<String> page = Files.readAllLines(PAGE);
        assertThat(counts.entrySet().stream()
                        .map(entry -> "| %s | %d |".formatted(entry.getKey().title(), entry.getValue()))
                        .filter(row -> !page.contains(row)))
                .as("rows that the table under \"Hostile input\" should have")
                .isEmpty();
    }

    private void run(HostileCase hostile, AddressPolicy addresses) throws Exception {
        FetchOptions options = hostile.group() == Group.SLOWNESS
                ? options().timeout(SHORT_TIMEOUT).build()
                : options().build();
        String uri = hostile.input().uri(server);
        try (ImageFetcher fetcher = new ImageFetcher(options, addresses);
                EncodedImage image = fetcher.fetch(new ImageRequest(uri, Optional.empty()))) {
            ImageSize size = decoder.decode(image.bytes(), Quarters.target());
            if (hostile.expected() instanceof Decoded decoded) {
                assertThat(size).isEqualTo(new ImageSize(decoded.width(), decoded.height()));
            } else {
                fail("decoded as %s, expected %s", size, hostile.expected());
            }
        } catch (ImageException e) {
            assertThat(e.getMessage()).doesNotMatch("(?s).*[\\p{Cntrl}\\p{Cf}\u2028\u2029].*");
            if (hostile.expected() instanceof Refused refused) {
                assertThat(e.reason()).as(e.getMessage()).isIn(refused.reasons());
                assertThat(refused.message()).allMatch(part -> e.getMessage().contains(part), "in: " + e.getMessage());
            } else {
                fail("refused, expected " + hostile.expected(), e);
            }
        }
    }

    static FetchOptions.Builder options() {
        return FetchOptions.builder().fileRoots(List.of(folder.resolve("root"))).maxBytes(MAX_BYTES);
    }

    /** The attacker's name server. It also resolves the forms of IPv4 addresses that C's inet_aton reads. */
    private static class NameServer implements DnsResolver {
        @Override
        public InetAddress[] resolve(String host) throws UnknownHostException {
            Optional<List<String>> known = HostileAddresses.addressesOf(host);
            if (known.isEmpty()) {
                if (!host.matches("[0-9.]+|.*:.*|(?i)localhost")) {
                    throw new UnknownHostException(host);
                }
                return InetAddress.getAllByName(host);
            }
            InetAddress[] addresses = new InetAddress[known.get().size()];
            for (int i = 0; i < addresses.length; i++) {
                addresses[i] = ResolvedAddress.of(host, known.get().get(i));
            }
            return addresses;
        }

        @Override
        public String resolveCanonicalHostname(String host) {
            return host;
        }
    }
}
