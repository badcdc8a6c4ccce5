/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import java.util.Locale;
import java.util.Optional;

/**
 * The processors for which a filter of system calls can be made, and the numbers that it needs beside those of
 * {@link SystemCall}. A kernel has other numbers on each.
 */
enum Architecture {
    X86_64(0xC000003E, 317, 257, 41, 56, 435, 234, 157, 302, 16),
    AARCH64(0xC00000B7, 277, 56, 198, 220, 435, 131, 167, 261, 29);

    /** The number of a call that an architecture does not have. */
    static final int ABSENT = -1;

    /** What the kernel calls it: {@code AUDIT_ARCH_*}. */
    final int audit;

    final int seccomp;
    final int openat;
    final int socket;
    final int clone;
    final int clone3;
    final int tgkill;
    final int prctl;
    final int prlimit64;
    final int ioctl;

    @SuppressWarnings("checkstyle:ParameterNumber")
    Architecture(
            int audit,
            int seccomp,
            int openat,
            int socket,
            int clone,
            int clone3,
            int tgkill,
            int prctl,
            int prlimit64,
            int ioctl) {
        this.audit = audit;
        this.seccomp = seccomp;
        this.openat = openat;
        this.socket = socket;
        this.clone = clone;
        this.clone3 = clone3;
        this.tgkill = tgkill;
        this.prctl = prctl;
        this.prlimit64 = prlimit64;
        this.ioctl = ioctl;
    }

    /** This Java's; empty for any other. */
    static Optional<Architecture> current() {
        return switch (System.getProperty("os.arch").toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> Optional.of(X86_64);
            case "aarch64", "arm64" -> Optional.of(AARCH64);
            default -> Optional.empty();
        };
    }
}
