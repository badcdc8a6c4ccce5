/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.javalin.util.JavalinBindException;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.tagstream.cluster.OperatorException;
import io.tagstream.operations.http.ClientLimits;
import io.tagstream.operations.http.LimitedServer;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.waits.TaggingHealth;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metrics of a process. If {@code http.port} is set, it serves {@code /metrics}, {@code /health/live},
 * {@code /health/ready} and, if it tags images, {@code /health/tagging} and {@code /health/copies}. It listens from the
 * beginning, so you can watch a slow start.
 *
 * <p><i>Threading notes.</i> The server's threads answer requests and call the suppliers. One thread creates and closes
 * this.
 */
public final class Operations implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Operations.class);
    private static final String OPEN_METRICS = "application/openmetrics-text";
    private static final String TEXT = "text/plain; charset=utf-8";

    private final CompositeMeterRegistry metrics = new CompositeMeterRegistry();
    private final PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics collections = new JvmGcMetrics();
    private final Supplier<Optional<String>> stopped;
    private final Supplier<Optional<String>> notReady;
    private final List<Supplier<Optional<String>>> remarks = new CopyOnWriteArrayList<>();
    private final Optional<Supplier<TaggingHealth>> tagging;
    private final AtomicReference<Supplier<TaggingHealth>> copies =
            new AtomicReference<>(() -> TaggingHealth.waiting("starting"));
    private final Optional<? extends Consumer<JavalinConfig>> more;
    private final Optional<Javalin> server;

    /**
     * Starts to listen, if the configuration says so.
     *
     * @param stopped why tagging has stopped for good; empty while it has not
     * @param notReady why the process cannot serve now; empty while it can
     * @throws OperatorException if the port cannot be listened on
     */
    public Operations(TagstreamConfig config, Supplier<Optional<String>> stopped, Supplier<Optional<String>> notReady) {
        this(config, stopped, notReady, Optional.empty(), Optional.empty());
    }

    /**
     * Does the same, with more routes on the same server.
     *
     * @param tagging whether images wait, for a process that tags them
     * @param more registers the other routes
     */
    public Operations(
            TagstreamConfig config,
            Supplier<Optional<String>> stopped,
            Supplier<Optional<String>> notReady,
            Optional<Supplier<TaggingHealth>> tagging,
            Optional<? extends Consumer<JavalinConfig>> more) {
        this.more = more;
        this.stopped = stopped;
        this.notReady = notReady;
        this.tagging = tagging;
        OptionalInt port = config.optionalInt(TagstreamConfig.HTTP_PORT);
        this.server = port.isPresent()
                ? Optional.of(listen(config.getString(TagstreamConfig.HTTP_HOST), port.getAsInt()))
                : Optional.empty();
    }

    private Javalin listen(String host, int port) {
        metrics.add(prometheus);
        Javalin listening = Javalin.create(this::configure);
        try {
            listening.start(host, port);
        } catch (JavalinBindException e) {
            throw OperatorException.failed(
                    "cannot listen on %s:%d; change %s or %s"
                            .formatted(host, port, TagstreamConfig.HTTP_PORT, TagstreamConfig.HTTP_HOST),
                    e);
        }
        log.info(
                "Metrics and health{} are served on http://{}:{}",
                more.isPresent() ? ", the console and its API" : "",
                host,
                listening.port());
        collections.bindTo(metrics);
        new JvmMemoryMetrics().bindTo(metrics);
        new JvmThreadMetrics().bindTo(metrics);
        new ProcessorMetrics().bindTo(metrics);
        return listening;
    }

    /** The registry to record metrics in; it keeps nothing until a registry is added to it. */
    public CompositeMeterRegistry metrics() {
        return metrics;
    }

    /** The port that it listens on, if any. */
    public OptionalInt port() {
        return server.isPresent() ? OptionalInt.of(server.get().port()) : OptionalInt.empty();
    }

    private void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        new LimitedServer(ClientLimits.STANDARD, metrics).accept(config);
        more.ifPresent(routes -> routes.accept(config));
        config.routes.get("/metrics", this::scrape);
        config.routes.get("/health/live", request -> answer(request, "live", stopped.get()));
        config.routes.get("/health/ready", request -> answer(request, ready(), notReady.get()));
        tagging.ifPresent(health -> {
            config.routes.get("/health/tagging", request -> answer(request, health.get()));
            config.routes.get(
                    "/health/copies", request -> answer(request, copies.get().get()));
        });
    }

    /** From now on, {@code /health/copies} says this. */
    public void copies(Supplier<TaggingHealth> complete) {
        copies.set(complete);
    }

    /** From now on, {@code /health/ready} also says this after "ready", as long as there is something to say. */
    public void remark(Supplier<Optional<String>> remark) {
        remarks.add(remark);
    }

    private String ready() {
        return Stream.concat(Stream.of("ready"), remarks.stream().flatMap(remark -> remark.get().stream()))
                .collect(Collectors.joining("; "));
    }

    private void scrape(Context request) {
        String format = Optional.ofNullable(request.header("Accept"))
                .filter(accepted -> accepted.contains(OPEN_METRICS))
                .map(accepted -> OPEN_METRICS + "; version=1.0.0; charset=utf-8")
                .orElse("text/plain; version=0.0.4; charset=utf-8");
        request.contentType(format).result(prometheus.scrape(format));
    }

    private static void answer(Context request, String yes, Optional<String> whyNot) {
        answer(request, new TaggingHealth(whyNot.isEmpty(), whyNot.orElse(yes)));
    }

    private static void answer(Context request, TaggingHealth health) {
        request.contentType(TEXT)
                .status(health.healthy() ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE)
                .result(health.text() + "\n");
    }

    @Override
    public void close() {
        server.ifPresent(Javalin::stop);
        collections.close();
        prometheus.close();
        metrics.close();
    }
}
