/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.topology.clients.Pace;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedPunctuator;
import org.junit.jupiter.api.Test;

class PromptCommitsTest {
    private long now;
    private boolean saturated;

    private final MockProcessorContext<Object, Object> context = new MockProcessorContext<>();
    private final MockProcessorContext<Object, Object> otherTask = new MockProcessorContext<>();
    private final PromptCommits commits =
            new PromptCommits(() -> now, new Pace(Duration.ofMillis(10)), () -> saturated);
    private final PromptCommits.OfTask ofTask = commits.of(context);
    private final PromptCommits.OfTask ofOtherTask = commits.of(otherTask);

    @Test
    void shouldCommitAtOnce() {
        ofTask.ask();
        assertThat(committed(context)).isTrue();
        assertThat(context.scheduledPunctuators()).isEmpty();
    }

    @Test
    void shouldCommitALittleLaterWhereTheThreadHasJustCommitted() {
        ofTask.ask();
        pass(5);
        ofOtherTask.ask();
        ofOtherTask.ask();
        assertThat(committed(otherTask)).isFalse();
        assertThat(otherTask.scheduledPunctuators()).hasSize(1);
        pass(20);
        CapturedPunctuator retry = otherTask.scheduledPunctuators().get(0);
        retry.getPunctuator().punctuate(0);
        assertThat(committed(otherTask)).isTrue();
        assertThat(retry.cancelled()).isTrue();
    }

    @Test
    void shouldCommitTwentyTimesASecondAtMostWhereThereIsAlwaysSomethingNew() {
        assertThat(commitsIn(10)).isBetween(200, 220);
    }

    @Test
    void shouldCommitFourTimesASecondWhileTheModelCannotKeepUp() {
        saturated = true;
        assertThat(commitsIn(10)).isBetween(36, 40);
    }

    private int commitsIn(int seconds) {
        int count = 0;
        for (int millis = 0; millis < seconds * 1_000; millis += 5) {
            pass(5);
            ofTask.ask();
            List<CapturedPunctuator> retries = context.scheduledPunctuators();
            retries.stream()
                    .filter(retry -> !retry.cancelled())
                    .forEach(retry -> retry.getPunctuator().punctuate(0));
            count += committed(context) ? 1 : 0;
        }
        return count;
    }

    @Test
    void shouldForgetWhatATaskWasToAskForWhenItCloses() {
        ofTask.ask();
        ofOtherTask.ask();
        ofOtherTask.close();
        assertThat(otherTask.scheduledPunctuators()).allMatch(CapturedPunctuator::cancelled);
    }

    private void pass(long millis) {
        now += Duration.ofMillis(millis).toNanos();
    }

    private static boolean committed(MockProcessorContext<?, ?> context) {
        boolean committed = context.committed();
        context.resetCommit();
        return committed;
    }
}
