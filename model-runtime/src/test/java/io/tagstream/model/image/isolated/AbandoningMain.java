/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import io.tagstream.model.ImageException;
import io.tagstream.model.image.Quarters;
import java.nio.file.Path;

/** A parent of two decoder processes. The test kills it while one of them is idle and the other decodes forever. */
public final class AbandoningMain {
    private AbandoningMain() {}

    /** {@code arguments}: where the test's classes are. */
    public static void main(String[] arguments) throws ImageException, InterruptedException {
        DecoderProcesses processes = DecoderProcessesTest.misbehaving(2, Path.of(arguments[0]));
        System.out.println(processes.directory());
        ProcessHandle.current().children().forEach(child -> System.out.println(child.pid()));
        System.out.println();
        processes.decode(DecoderProcessesTest.image(MisbehavingMain.Trouble.HANG), Quarters.target());
    }
}
