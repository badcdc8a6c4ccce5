/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The filter of system calls, in the kernel's classic BPF (Documentation/userspace-api/seccomp_filter.rst). It allows
 * {@link SystemCall} and, with certain arguments only, a few others: new threads but no new processes, signals to the
 * process itself, and limits to be read but not changed. Everything else fails with {@code EPERM}, so that the image
 * fails and the process lives.
 */
final class SystemCallFilter {
    /** Bytes of an instruction. */
    static final int INSTRUCTION = 8;

    private static final int LOAD = 0x20;
    private static final int JUMP_IF_EQUAL = 0x15;
    private static final int JUMP_IF_SET = 0x45;
    private static final int RETURN = 0x06;

    private static final int ALLOW = 0x7FFF0000;
    private static final int KILL = 0x80000000;
    private static final int ERROR = 0x00050000;
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;

    private static final int NUMBER = 0;
    private static final int ARCHITECTURE = 4;
    private static final int ARGUMENTS = 16;
    private static final int WORD = 4;

    private static final int CLONE_THREAD = 0x00010000;
    private static final int SET_NAME = 15;
    private static final int SET_NAME_OF_MEMORY = 0x53564D41;
    private static final int BYTES_TO_READ = 0x541B;

    private final List<long[]> program = new ArrayList<>();

    private SystemCallFilter() {}

    /** The filter for the process {@code pid}, as the kernel reads it. */
    static byte[] of(Architecture architecture, int pid) {
        SystemCallFilter filter = new SystemCallFilter();
        filter.load(ARCHITECTURE);
        filter.add(JUMP_IF_EQUAL, 1, 0, architecture.audit);
        filter.result(KILL);
        filter.load(NUMBER);
        for (SystemCall call : SystemCall.values()) {
            int number = call.number(architecture);
            if (number != Architecture.ABSENT) {
                filter.allowIf(JUMP_IF_EQUAL, number);
            }
        }
        // the C library goes back to clone, whose flags can be seen
        filter.add(JUMP_IF_EQUAL, 0, 1, architecture.clone3);
        filter.result(ERROR | ENOSYS);
        filter.when(architecture.clone, 3, () -> {
            filter.load(argument(0));
            filter.allowIf(JUMP_IF_SET, CLONE_THREAD);
        });
        filter.when(architecture.tgkill, 3, () -> {
            filter.load(argument(0));
            filter.allowIf(JUMP_IF_EQUAL, pid);
        });
        filter.when(architecture.prctl, 5, () -> {
            filter.load(argument(0));
            filter.allowIf(JUMP_IF_EQUAL, SET_NAME);
            filter.allowIf(JUMP_IF_EQUAL, SET_NAME_OF_MEMORY);
        });
        filter.when(architecture.ioctl, 3, () -> {
            filter.load(argument(1));
            filter.allowIf(JUMP_IF_EQUAL, BYTES_TO_READ);
        });
        filter.when(architecture.prlimit64, 9, () -> {
            // of this process, without new limits
            filter.refuseUnlessZero(argument(0));
            filter.refuseUnlessZero(argument(2));
            filter.load(argument(2) + WORD);
            filter.allowIf(JUMP_IF_EQUAL, 0);
        });
        filter.result(ERROR | EPERM);
        return filter.bytes();
    }

    private static int argument(int index) {
        return ARGUMENTS + 2 * WORD * index;
    }

    /** What follows for one call: {@code length} instructions, after which it is refused. */
    private void when(int number, int length, Runnable block) {
        add(JUMP_IF_EQUAL, 0, length + 1, number);
        int start = program.size();
        block.run();
        if (program.size() - start != length) {
            throw new IllegalStateException("a block has %d instructions".formatted(program.size() - start));
        }
        result(ERROR | EPERM);
    }

    private void refuseUnlessZero(int offset) {
        load(offset);
        add(JUMP_IF_EQUAL, 1, 0, 0);
        result(ERROR | EPERM);
    }

    private void allowIf(int jump, int value) {
        add(jump, 0, 1, value);
        result(ALLOW);
    }

    private void load(int offset) {
        add(LOAD, 0, 0, offset);
    }

    private void result(int value) {
        add(RETURN, 0, 0, value);
    }

    private void add(int code, int ifTrue, int ifFalse, int value) {
        program.add(new long[] {code, ifTrue, ifFalse, value});
    }

    private byte[] bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(program.size() * INSTRUCTION).order(ByteOrder.nativeOrder());
        for (long[] instruction : program) {
            bytes.putShort((short) instruction[0])
                    .put((byte) instruction[1])
                    .put((byte) instruction[2])
                    .putInt((int) instruction[3]);
        }
        return bytes.array();
    }
}
