/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import org.junit.jupiter.api.Test;

/** SIGTERM while {@code tagstream local} is still starting. */
@InRun
class LocalStopIT {
    static final int ENDED_BY_SIGTERM = 128 + 15;

    @Test
    void shouldEndInOrderWhileItStarts() throws Exception {
        try (CommandProcess local = CommandProcess.start("local", CommandProcess.SAMPLES.toString(), "--verbose")) {
            local.awaitNote("Starting controller");
            local.terminate();
            Run run = local.awaitEnd();

            assertThat(run.exitCode()).as(run.errors()).isEqualTo(ENDED_BY_SIGTERM);
            assertThat(run.errors()).doesNotContain("Exception in thread", "tagstream: ");
        }
    }
}
