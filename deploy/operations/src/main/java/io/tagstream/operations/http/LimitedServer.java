/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.operations.http;

import io.javalin.config.JavalinConfig;
import io.javalin.config.SizeUnit;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.QoSHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A server that keeps answering, whatever its clients do.
 *
 * <ul>
 *   <li>Each kind of request has a {@link Share share} of the threads; health has threads that no share can take.
 *   <li>Bodies are small, and are received before any work on a request starts; only uploads are read by a thread of
 *       their share.
 *   <li>Bodies and answers have deadlines, even if bytes trickle; so do connections without a request.
 * </ul>
 *
 * {@link HttpMetric#REFUSED} and the log report what is refused.
 */
public final class LimitedServer implements Consumer<JavalinConfig> {
    private static final String THREADS = "http";

    private final ClientLimits limits;
    private final Refusals refusals;
    private final List<ShareLimit> shares;

    public LimitedServer(ClientLimits limits, MeterRegistry metrics) {
        this.limits = limits;
        this.refusals = new Refusals(metrics);
        this.shares = Arrays.stream(Share.values())
                .map(share -> new ShareLimit(share, limits.turn(), refusals))
                .toList();
        HttpMetric.WAITING.gauge(
                metrics,
                shares,
                all -> all.stream()
                        .mapToInt(QoSHandler::getSuspendedRequestCount)
                        .sum());
    }

    @Override
    public void accept(JavalinConfig config) {
        QueuedThreadPool threads = new QueuedThreadPool(Share.threads());
        threads.setName(THREADS);
        config.jetty.threadPool = threads;
        config.jetty.multipartConfig.maxFileSize(limits.uploads().largest(), SizeUnit.BYTES);
        config.jetty.multipartConfig.maxTotalRequestSize(limits.uploads().largest(), SizeUnit.BYTES);
        config.jetty.addConnector((server, http) -> {
            Connections connections = new Connections(limits, refusals, server.getScheduler());
            insert(server, connections.watch());
            ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
            connector.setHost(config.jetty.host);
            connector.setPort(config.jetty.port);
            connector.addBean(connections);
            return connector;
        });
    }

    /** Inserts the innermost handler first: a request passes through the last one first. */
    private void insert(Server server, Handler.Wrapper watch) {
        for (int share = shares.size(); share > 0; share--) {
            server.insertHandler(shares.get(share - 1));
        }
        server.insertHandler(new BodyReceiver(limits, refusals));
        server.insertHandler(new AnswerDeadline(limits.answerPace(), refusals));
        server.insertHandler(watch);
    }
}
