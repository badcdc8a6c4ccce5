/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

/**
 * The system calls that a sealed process may make. None of them takes a path, makes a descriptor, reaches another
 * process or changes rights. A Java that has loaded what it needs makes no others while it decodes.
 */
enum SystemCall {
    FUTEX(202, 98),
    READ(0, 63),
    WRITE(1, 64),
    MMAP(9, 222),
    MUNMAP(11, 215),
    MPROTECT(10, 226),
    MADVISE(28, 233),
    MREMAP(25, 216),
    BRK(12, 214),
    CLOCK_GETTIME(228, 113),
    CLOCK_NANOSLEEP(230, 115),
    NANOSLEEP(35, 101),
    SCHED_YIELD(24, 124),
    GETTIMEOFDAY(96, 169),
    // of the jars, which stay open
    LSEEK(8, 62),
    PREAD64(17, 67),
    READV(19, 65),
    WRITEV(20, 66),
    CLOSE(3, 57),
    FSTAT(5, 80),
    POLL(7, Architecture.ABSENT),
    PPOLL(271, 73),
    RT_SIGACTION(13, 134),
    RT_SIGPROCMASK(14, 135),
    RT_SIGRETURN(15, 139),
    RESTART_SYSCALL(219, 128),
    SIGALTSTACK(131, 132),
    SET_ROBUST_LIST(273, 99),
    RSEQ(334, 293),
    MEMBARRIER(324, 283),
    MINCORE(27, 232),
    SCHED_GETAFFINITY(204, 123),
    GETCPU(309, 168),
    GETPID(39, 172),
    GETTID(186, 178),
    GETUID(102, 174),
    GETEUID(107, 175),
    GETRUSAGE(98, 165),
    GETRLIMIT(97, 163),
    TIMES(100, 153),
    SYSINFO(99, 179),
    UNAME(63, 160),
    CLOCK_GETRES(229, 114),
    GETRANDOM(318, 278),
    EXIT(60, 93),
    EXIT_GROUP(231, 94);

    private final int x86;
    private final int arm;

    SystemCall(int x86, int arm) {
        this.x86 = x86;
        this.arm = arm;
    }

    /** Its number, or {@link Architecture#ABSENT}. */
    int number(Architecture architecture) {
        return switch (architecture) {
            case X86_64 -> x86;
            case AARCH64 -> arm;
        };
    }
}
