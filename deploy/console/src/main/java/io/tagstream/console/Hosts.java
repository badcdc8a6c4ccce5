/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Host names and addresses, as written in a URL. */
public final class Hosts {
    private Hosts() {}

    /** Whether a server that listens on this address can be reached from this machine only. */
    public static boolean isLoopback(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        return name.equals("localhost")
                || name.matches("127(\\.\\d{1,3}){3}")
                || name.equals("::1")
                || name.equals("[::1]");
    }

    /** The host of {@code host:port}, in lower case. */
    static String name(String authority) {
        int colon = authority.lastIndexOf(':');
        boolean port = colon > authority.lastIndexOf(']') && colon > 0;
        return (port ? authority.substring(0, colon) : authority).toLowerCase(Locale.ROOT);
    }

    /** The names in lower case. */
    static Set<String> lowerCase(Collection<String> names) {
        return names.stream().map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toUnmodifiableSet());
    }
}
