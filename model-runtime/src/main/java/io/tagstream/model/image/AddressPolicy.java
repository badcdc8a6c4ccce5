/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/**
 * Decides which addresses may be connected to. It is the HTTP client's resolver, so what it has looked at is what is
 * connected to: a name cannot resolve to one address for the check and to another for the connection.
 *
 * <p>Private means everything that is not globally reachable unicast (IANA special-purpose registries, RFC 6890), with
 * the metadata services of clouds that hide behind public addresses.
 */
final class AddressPolicy implements DnsResolver {
    private static final List<Block> PRIVATE = List.of(
            new Block("0.0.0.0", 8), // this network
            new Block("10.0.0.0", 8),
            new Block("100.64.0.0", 10), // carrier-grade NAT; metadata of one cloud
            new Block("127.0.0.0", 8),
            new Block("168.63.129.16", 32), // metadata of one cloud
            new Block("169.254.0.0", 16), // link-local; metadata of most clouds
            new Block("172.16.0.0", 12),
            new Block("192.0.0.0", 24), // protocol assignments; metadata of one cloud
            new Block("192.0.2.0", 24), // documentation
            new Block("192.88.99.0", 24), // 6to4 relays
            new Block("192.168.0.0", 16),
            new Block("198.18.0.0", 15), // benchmarks
            new Block("198.51.100.0", 24), // documentation
            new Block("203.0.113.0", 24), // documentation
            new Block("224.0.0.0", 3), // multicast, reserved, broadcast
            new Block("::", 96), // unspecified, loopback, IPv4-compatible
            new Block("64:ff9b::", 96), // NAT64: an IPv4 address inside
            new Block("64:ff9b:1::", 48),
            new Block("100::", 64), // discard
            new Block("2001::", 23), // protocol assignments; Teredo: an IPv4 address inside
            new Block("2001:db8::", 32), // documentation
            new Block("2002::", 16), // 6to4: an IPv4 address inside
            new Block("3fff::", 20), // documentation
            new Block("5f00::", 16), // segment routing
            new Block("fc00::", 7), // unique local
            new Block("fe80::", 10), // link-local
            new Block("fec0::", 10), // site-local
            new Block("ff00::", 8)); // multicast

    private final Predicate<InetAddress> blocked;
    private final DnsResolver resolver;

    AddressPolicy(boolean allowPrivate) {
        this(address -> !allowPrivate && isPrivate(address), SystemDefaultDnsResolver.INSTANCE);
    }

    AddressPolicy(Predicate<InetAddress> blocked, DnsResolver resolver) {
        this.blocked = blocked;
        this.resolver = resolver;
    }

    /** Thrown for a host that resolves to an address that may not be connected to. */
    static final class BlockedAddressException extends UnknownHostException {
        private static final long serialVersionUID = 1L;

        BlockedAddressException(String host, InetAddress address) {
            super("%s is the private address %s".formatted(Excerpt.of(host), address.getHostAddress()));
        }
    }

    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
        InetAddress[] addresses = resolver.resolve(host);
        for (InetAddress address : addresses) {
            // one is enough: a name that mixes public and private addresses is up to no good
            if (blocked.test(address)) {
                throw new BlockedAddressException(host, address);
            }
        }
        return addresses;
    }

    @Override
    public String resolveCanonicalHostname(String host) throws UnknownHostException {
        return resolver.resolveCanonicalHostname(host);
    }

    static boolean isPrivate(InetAddress address) {
        return PRIVATE.stream().anyMatch(block -> block.contains(address));
    }

    /** The addresses that share the first {@code bits} bits. */
    private record Block(InetAddress first, int bits) {
        Block(String first, int bits) {
            this(literal(first), bits);
        }

        private static InetAddress literal(String address) {
            try {
                return InetAddress.getByName(address);
            } catch (UnknownHostException e) {
                throw new IllegalArgumentException(address, e);
            }
        }

        boolean contains(InetAddress address) {
            // IPv4-mapped IPv6 addresses are IPv4 addresses to Java already
            if ((address instanceof Inet4Address) != (first instanceof Inet4Address)) {
                return false;
            }
            byte[] bytes = address.getAddress();
            byte[] prefix = first.getAddress();
            int whole = bits / 8;
            if (!Arrays.equals(bytes, 0, whole, prefix, 0, whole)) {
                return false;
            }
            int mask = (0xFF00 >> (bits % 8)) & 0xFF;
            return bits % 8 == 0 || (bytes[whole] & mask) == (prefix[whole] & mask);
        }
    }
}
