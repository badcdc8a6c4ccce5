/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import java.time.Duration;
import java.time.InstantSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts wrong tokens, and stops looking at any for the rest of a minute in which there were too many. So a guesser gets
 * {@value #MOST} guesses a minute, from however many addresses. Browsers and instances with their cookies and signatures
 * are not affected.
 *
 * <p><i>Threading notes.</i> May be used from any thread.
 */
final class Guesses {
    /** Wrong tokens a minute. */
    static final int MOST = 20;

    private static final Logger log = LoggerFactory.getLogger(Guesses.class);
    private static final Duration PERIOD = Duration.ofMinutes(1);

    private final InstantSource clock;
    private long periodStart;
    private int wrong;

    Guesses(InstantSource clock) {
        this.clock = clock;
        this.periodStart = clock.millis();
    }

    /** The seconds until tokens are looked at again; 0 if they are now. */
    synchronized long secondsToWait() {
        long now = clock.millis();
        if (now - periodStart >= PERIOD.toMillis()) {
            if (wrong > 1) {
                log.warn("{} wrong tokens were sent to the console within a minute", wrong);
            }
            periodStart = now;
            wrong = 0;
        }
        return wrong < MOST ? 0 : (periodStart + PERIOD.toMillis() - now + 999) / 1000;
    }

    /**
     * Counts a wrong token.
     *
     * @param client the address that it came from
     */
    synchronized void add(String client) {
        wrong++;
        if (wrong == 1) {
            log.warn("A wrong token was sent to the console from {}", client);
        } else if (wrong == MOST) {
            log.warn(
                    "{} wrong tokens were sent to the console within a minute, the last one from {}; no more are looked at"
                            + " in this minute",
                    wrong,
                    client);
        }
    }
}
