/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RefusalsTest {
    @Test
    void shouldCountEachAndLogOneLineAMinute() {
        Logger logger = (Logger) LoggerFactory.getLogger(Refusals.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        try {
            MeterRegistry metrics = new SimpleMeterRegistry();
            Refusals refusals = new Refusals(metrics);
            for (int refusal = 0; refusal < 100; refusal++) {
                refusals.count(Refusals.Reason.LATE);
            }
            assertThat(HttpMetric.REFUSED.counter(metrics, "late").count()).isEqualTo(100);
            assertThat(lines.list).hasSize(1);
            assertThat(lines.list.get(0).getFormattedMessage()).contains("late=1");
        } finally {
            logger.detachAppender(lines);
        }
    }
}
