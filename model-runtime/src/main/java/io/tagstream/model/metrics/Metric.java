/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * A metric, declared once: the constants of enums that implement this interface are registered, and the metrics page is
 * made from them.
 *
 * <p><i>Threading notes.</i> Immutable. The meters that the factory methods return may be used from any thread.
 */
public interface Metric {
    /** How a metric is measured. */
    enum Type {
        /** A number that is read on demand. */
        GAUGE,
        /** A number that only grows. */
        COUNTER,
        /** Durations: their number, their sum and their recent maximum. */
        TIMER,
        /** Sizes: their number, their sum and their recent maximum. */
        SUMMARY
    }

    /**
     * The declaration of a metric.
     *
     * @param id Micrometer's name: lower case, words separated by dots
     * @param unit what it counts; seconds for timers
     * @param help what it means, in a sentence or two
     * @param tags the names of its tags, each of which has few values
     */
    record Definition(String id, Type type, String unit, String help, List<String> tags) {
        public Definition {
            tags = List.copyOf(tags);
        }
    }

    Definition definition();

    default String id() {
        return definition().id();
    }

    default Type type() {
        return definition().type();
    }

    default String unit() {
        return definition().unit();
    }

    default String help() {
        return definition().help();
    }

    default List<String> tags() {
        return definition().tags();
    }

    /**
     * Registers a gauge of an object, which the caller must keep alive.
     *
     * @param values of the tags, in their order
     */
    default <T> void gauge(MeterRegistry registry, T object, ToDoubleFunction<T> value, String... values) {
        check(Type.GAUGE);
        Gauge.builder(id(), object, value)
                .baseUnit(unit())
                .description(help())
                .tags(values(values))
                .register(registry);
    }

    /**
     * Registers a counter.
     *
     * @param values of the tags, in their order
     */
    default Counter counter(MeterRegistry registry, String... values) {
        check(Type.COUNTER);
        return Counter.builder(id())
                .baseUnit(unit())
                .description(help())
                .tags(values(values))
                .register(registry);
    }

    /**
     * Registers a timer.
     *
     * @param values of the tags, in their order
     */
    default Timer timer(MeterRegistry registry, String... values) {
        check(Type.TIMER);
        return Timer.builder(id()).description(help()).tags(values(values)).register(registry);
    }

    /**
     * Registers a summary.
     *
     * @param values of the tags, in their order
     */
    default DistributionSummary summary(MeterRegistry registry, String... values) {
        check(Type.SUMMARY);
        return DistributionSummary.builder(id())
                .baseUnit(unit())
                .description(help())
                .tags(values(values))
                .register(registry);
    }

    private void check(Type asked) {
        if (type() != asked) {
            throw new IllegalArgumentException("%s is a %s, not a %s".formatted(id(), type(), asked));
        }
    }

    private Tags values(String... values) {
        if (values.length != tags().size()) {
            throw new IllegalArgumentException(
                    "%s has the tags %s, but %d values were given".formatted(id(), tags(), values.length));
        }
        Tags tags = Tags.empty();
        for (int i = 0; i < values.length; i++) {
            tags = tags.and(tags().get(i), values[i]);
        }
        return tags;
    }
}
