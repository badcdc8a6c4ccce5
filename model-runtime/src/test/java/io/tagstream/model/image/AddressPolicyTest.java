/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.image.AddressPolicy.BlockedAddressException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which addresses may be connected to, in the form in which the system's resolver returns them. */
@Timeout(60)
class AddressPolicyTest {
    private static final byte[] BODY = {1, 2, 3};

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8.8.8.8",
                "2600::1",
                "2a00:1450:4001:830::200e",
                "2620:4f:8000::1",
                // the neighbours of the private addresses inside 2000::/3
                "2000::",
                "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:200::",
                "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db9::",
                "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2003::",
                "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "3fff:1000::",
                "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                // these lead to 8.8.8.8
                "::ffff:8.8.8.8",
                "64:ff9b::8.8.8.8"
            })
    void shouldAllowPublicAddresses(String address) throws Exception {
        assertThat(byDefault(address).resolve("a.test")).containsExactly(ResolvedAddress.of("a.test", address));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "::",
                "::1",
                "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "4000::",
                "2001::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                "100::1",
                "100:0:0:1::1",
                "5f00::1",
                "fd00:ec2::254",
                "fe80::1",
                "fec0::1",
                "ff02::1"
            })
    void shouldRefuseWhatIsNotGlobalUnicast(String address) {
        assertBlocked(address);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "10.0.0.5",
                "100.100.100.200",
                "168.63.129.16",
                "169.254.169.254",
                "192.168.1.1",
                "0.0.0.0"
            })
    void shouldRefuseAPrivateAddressInsideAnother(String ipv4) throws Exception {
        byte[] b = InetAddress.getByName(ipv4).getAddress();
        String hex = "%02x%02x:%02x%02x".formatted(b[0], b[1], b[2], b[3]);
        String flipped = "%02x%02x:%02x%02x".formatted(~b[0] & 0xFF, ~b[1] & 0xFF, ~b[2] & 0xFF, ~b[3] & 0xFF);
        for (String form : List.of(
                "::ffff:" + ipv4,
                "::" + ipv4,
                "::ffff:0:" + ipv4,
                "64:ff9b::" + ipv4,
                "64:ff9b:1::" + ipv4,
                "2002:" + hex + "::1",
                "2001:0:" + hex + "::f7f7:f7f7",
                "2001:0:808:808::" + flipped)) {
            assertBlocked(form);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "::8.8.8.8",
                "::ffff:0:8.8.8.8",
                "64:ff9b:1::8.8.8.8",
                "2002:808:808::1",
                "2001:0:808:808::f7f7:f7f7"
            })
    void shouldRefuseFormsThatNoPublicServerHas(String address) {
        assertBlocked(address);
    }

    @Test
    void shouldRefuseANameThatHasOnePrivateAddressAmongOthers() {
        for (List<String> addresses : List.of(
                List.of("8.8.8.8", "2600::1", "::ffff:127.0.0.1"),
                List.of("::ffff:127.0.0.1", "8.8.8.8"),
                List.of("::ffff:8.8.8.8", "::ffff:10.0.0.5"))) {
            assertThatThrownBy(() -> byDefault(addresses.toArray(String[]::new)).resolve("a.test"))
                    .as("%s", addresses)
                    .isInstanceOf(BlockedAddressException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "::ffff:169.254.169.254, '0:0:0:0:0:ffff:a9fe:a9fe, which leads to 169.254.169.254'",
        "64:ff9b::10.0.0.5, '64:ff9b:0:0:0:0:a00:5, which leads to 10.0.0.5'",
        "10.0.0.5, 10.0.0.5",
        "fd00::1, fd00:0:0:0:0:0:0:1"
    })
    void shouldSayWhereAnAddressLeads(String address, String said) {
        assertThatThrownBy(() -> byDefault(address).resolve(address))
                .hasMessage(address + " is the private address " + said);
    }

    @Test
    void shouldNotTellWhatANameResolvesTo() {
        assertThatThrownBy(() -> byDefault("10.1.2.3").resolve("photos.internal"))
                .hasMessage("photos.internal is a name of a private address");
    }

    /** The system connects to 127.0.0.1: the server listens only there, and gets the request. */
    @Test
    void shouldReachAPrivateServerByItsMappedAddressOnlyWherePrivateAddressesAreAllowed() throws Exception {
        try (HostileServer server = new HostileServer(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            String uri = server.serve(BODY, "image/png").replace("127.0.0.1", "mapped.test");
            assertThat(ResolvedAddress.of("mapped.test", "::ffff:127.0.0.1")).isInstanceOf(Inet6Address.class);

            try (ImageFetcher fetcher = fetcher(false, "::ffff:127.0.0.1")) {
                assertThatThrownBy(() -> fetcher.fetch(new ImageRequest(uri, Optional.empty())))
                        .isInstanceOfSatisfying(
                                ImageException.class,
                                e -> assertThat(e.reason()).isEqualTo(FailureReason.FETCH_BLOCKED));
            }
            assertThat(server.requests()).isEmpty();

            try (ImageFetcher fetcher = fetcher(true, "::ffff:127.0.0.1");
                    EncodedImage image = fetcher.fetch(new ImageRequest(uri, Optional.empty()))) {
                assertThat(image.bytes()).isEqualTo(BODY);
            }
        }
    }

    private static ImageFetcher fetcher(boolean allowPrivate, String address) {
        FetchOptions options =
                FetchOptions.builder().allowPrivateAddresses(allowPrivate).build();
        return new ImageFetcher(options, new AddressPolicy(options.allowPrivateAddresses(), resolver(address)));
    }

    private static void assertBlocked(String address) {
        assertThatThrownBy(() -> byDefault(address).resolve("a.test"))
                .as(address)
                .isInstanceOf(BlockedAddressException.class);
    }

    private static AddressPolicy byDefault(String... addresses) {
        return new AddressPolicy(FetchOptions.builder().build().allowPrivateAddresses(), resolver(addresses));
    }

    /** A resolver that returns these addresses for every name. */
    private static DnsResolver resolver(String... addresses) {
        return new DnsResolver() {
            @Override
            public InetAddress[] resolve(String host) throws UnknownHostException {
                InetAddress[] resolved = new InetAddress[addresses.length];
                for (int i = 0; i < addresses.length; i++) {
                    resolved[i] = ResolvedAddress.of(host, addresses[i]);
                }
                return resolved;
            }

            @Override
            public String resolveCanonicalHostname(String host) {
                return host;
            }
        };
    }
}
