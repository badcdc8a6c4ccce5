/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides which addresses may be connected to. The HTTP client uses it as its resolver, so a name cannot resolve to one
 * address for the check and to another for the connection.
 *
 * <p>Private means everything that is not globally reachable unicast (IANA special-purpose registries, RFC 6890), and
 * the cloud metadata services that have public addresses.
 *
 * <p><b>IPv4 addresses inside IPv6 addresses.</b> Two forms lead to the IPv4 address that they hold, so that address
 * decides. The system connects to an IPv4-mapped address ({@code ::ffff:0:0/96}) over IPv4; a resolver returns such an
 * address as an {@link Inet6Address}, although Java turns the same address into IPv4 when it is written as a literal.
 * Networks without IPv4 reach all servers that have only IPv4 under NAT64's well-known prefix ({@code 64:ff9b::/96}).
 *
 * <p>The other forms are always private, whatever they hold: IPv4-compatible ({@code ::/96}), IPv4-translated
 * ({@code ::ffff:0:0:0/96}), 6to4 ({@code 2002::/16}), Teredo ({@code 2001::/32}) and local NAT64
 * ({@code 64:ff9b:1::/48}). Public servers no longer use them, in some of them the network decides where the IPv4
 * address is, and a rule that reads none of them cannot misread one.
 *
 * <p>If a network uses NAT64 under its own prefix in public address space, its translator must itself block private
 * addresses: from outside, that prefix looks like any other.
 */
final class AddressPolicy implements DnsResolver {
    private static final List<Block> PRIVATE_IPV4 = List.of(
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
            new Block("224.0.0.0", 3)); // multicast, reserved, broadcast

    /** Everything assigned as unicast. Unique local, link-local, multicast and the rest lie outside. */
    private static final Block GLOBAL_IPV6 = new Block("2000::", 3);

    private static final List<Block> PRIVATE_IN_GLOBAL_IPV6 = List.of(
            // protocol assignments, including Teredo; the globally reachable ones (anycast addresses of relays,
            // identifiers of hosts and drones) serve no images
            new Block("2001::", 23),
            new Block("2001:db8::", 32), // documentation
            new Block("2002::", 16), // 6to4
            new Block("3fff::", 20)); // documentation

    /** What precedes the IPv4 address in the forms that lead to it. */
    private static final List<byte[]> BEFORE_IPV4 = List.of(
            HexFormat.of().parseHex("00000000000000000000ffff"), HexFormat.of().parseHex("0064ff9b0000000000000000"));

    private static final Logger LOG = LoggerFactory.getLogger(AddressPolicy.class);
    private static final Pattern IPV4_LITERAL = Pattern.compile("[0-9.]+");

    private final Predicate<InetAddress> blocked;
    private final DnsResolver resolver;

    AddressPolicy(boolean allowPrivate) {
        this(allowPrivate, SystemDefaultDnsResolver.INSTANCE);
    }

    AddressPolicy(boolean allowPrivate, DnsResolver resolver) {
        this(address -> !allowPrivate && isPrivate(address), resolver);
    }

    AddressPolicy(Predicate<InetAddress> blocked, DnsResolver resolver) {
        this.blocked = blocked;
        this.resolver = resolver;
    }

    /** Thrown if a host resolves to an address that may not be connected to. */
    static final class BlockedAddressException extends UnknownHostException {
        private static final long serialVersionUID = 1L;

        /** Strangers read the message, so it does not tell what a name resolves to. */
        BlockedAddressException(String host, InetAddress address) {
            super(Excerpt.of(host) + (isLiteral(host) ? described(address) : " is a name of a private address"));
        }

        private static boolean isLiteral(String host) {
            return host.indexOf(':') >= 0 || IPV4_LITERAL.matcher(host).matches();
        }

        private static String described(InetAddress address) {
            return " is the private address %s%s"
                    .formatted(
                            address.getHostAddress(),
                            leadsTo(address)
                                    .map(inside -> ", which leads to " + inside.getHostAddress())
                                    .orElse(""));
        }
    }

    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
        InetAddress[] addresses = resolver.resolve(host);
        for (InetAddress address : addresses) {
            // one is enough: a name that mixes public and private addresses is suspect
            if (blocked.test(address)) {
                LOG.debug("{} resolves to the blocked address {}", Excerpt.of(host), address.getHostAddress());
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
        InetAddress reached = leadsTo(address).orElse(address);
        if (reached instanceof Inet4Address) {
            return PRIVATE_IPV4.stream().anyMatch(block -> block.contains(reached));
        }
        return !GLOBAL_IPV6.contains(reached)
                || PRIVATE_IN_GLOBAL_IPV6.stream().anyMatch(block -> block.contains(reached));
    }

    /** The IPv4 address that an IPv6 address leads to. */
    private static Optional<InetAddress> leadsTo(InetAddress address) {
        byte[] bytes = address.getAddress();
        return BEFORE_IPV4.stream()
                .filter(prefix -> address instanceof Inet6Address && startsWith(bytes, prefix, prefix.length))
                .map(prefix -> ipv4(Arrays.copyOfRange(bytes, prefix.length, bytes.length)))
                .findFirst();
    }

    private static InetAddress ipv4(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(Arrays.toString(bytes), e);
        }
    }

    private static boolean startsWith(byte[] bytes, byte[] prefix, int length) {
        return Arrays.equals(bytes, 0, length, prefix, 0, length);
    }

    /** The addresses of one family that share the first {@code bits} bits. */
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
            if ((address instanceof Inet4Address) != (first instanceof Inet4Address)) {
                return false;
            }
            byte[] bytes = address.getAddress();
            byte[] prefix = first.getAddress();
            int whole = bits / 8;
            if (!startsWith(bytes, prefix, whole)) {
                return false;
            }
            int mask = (0xFF00 >> (bits % 8)) & 0xFF;
            return bits % 8 == 0 || (bytes[whole] & mask) == (prefix[whole] & mask);
        }
    }
}
