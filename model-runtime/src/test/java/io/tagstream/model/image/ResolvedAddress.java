/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Addresses as the system's resolver makes them. They differ from literals if an IPv6 address holds an IPv4 address:
 * Java turns an IPv4-mapped literal into an IPv4 address, and leaves the resolver's address as it is.
 */
final class ResolvedAddress {
    private static final int IPV6_BYTES = 16;

    private ResolvedAddress() {}

    /** The address that a name server has for the host. */
    static InetAddress of(String host, String address) throws UnknownHostException {
        byte[] bytes = InetAddress.getByName(address).getAddress();
        if (!address.contains(":")) {
            return InetAddress.getByAddress(host, bytes);
        }
        return Inet6Address.getByAddress(host, bytes.length == IPV6_BYTES ? bytes : mapped(bytes), -1);
    }

    private static byte[] mapped(byte[] ipv4) {
        byte[] bytes = new byte[IPV6_BYTES];
        bytes[10] = (byte) 0xFF;
        bytes[11] = (byte) 0xFF;
        System.arraycopy(ipv4, 0, bytes, 12, ipv4.length);
        return bytes;
    }
}
