/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed;

import io.tagstream.cli.ClusterOptions;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Subcommand;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.topics.Startup;
import io.tagstream.operations.Operations;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream index}. */
@Command(
        name = "index",
        description = {
            "Keeps an OpenSearch or Elasticsearch index equal to the tags topic until it is stopped: one document per"
                    + " image, under the image's id. To share the work, start it on several machines with the same"
                    + " application.id.",
            "",
            "You can stop, kill and restart it at any time. A document that the server rejects goes to dead-letters"
                    + " with the reason. Settings are given as for tagstream run.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream index --url http://search-1:9200,http://search-2:9200 --config tagstream.properties",
            "  tagstream index --url https://search:9200 --authorization secret --set http.port=8082 ...",
            "  tagstream index --url http://search:9200 --recreate --once --config tagstream.properties"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:with --once: everything is in the index",
            "1:the cluster, registry, topic or index cannot be used; the message says which and what to do",
            "2:wrong usage or configuration; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
public final class IndexCommand implements Callable<Integer>, Subcommand {
    private static final Logger log = LoggerFactory.getLogger(IndexCommand.class);

    /** Names that both servers accept, except patterns that match several indices and hidden indices. */
    private static final Pattern INDEX = Pattern.compile("[a-z0-9][a-z0-9._-]{0,199}");

    @Mixin
    private SearchOptions search;

    @Option(
            names = "--index",
            paramLabel = "NAME",
            defaultValue = "tags",
            description = "The alias that searches use; the indices behind it are NAME-000001 and so on."
                    + " Default: ${DEFAULT-VALUE}.")
    private String index;

    @Option(
            names = "--recreate",
            description =
                    "Rebuild the index from the topic. Searches use the present index until the new one is complete;"
                            + " then the alias moves to the new one, the old one is deleted, and feeding goes on. An"
                            + " earlier rebuild that was interrupted is continued.")
    private boolean recreate;

    @Option(names = "--once", description = "Stop when everything in the topic is in the index.")
    private boolean once;

    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() throws InterruptedException {
        logging.applyToService();
        if (!INDEX.matcher(index).matches()) {
            throw OperatorException.invalid(
                    "--index %s: use at most 200 lower-case letters, digits, '.', '_' and '-', a letter or digit first"
                            .formatted(index));
        }
        try (IndexTarget target = search.target()) {
            return feed(target, new IndexFeed.Options(index, recreate, once), cluster.config());
        }
    }

    private static int feed(IndexTarget target, IndexFeed.Options options, TagstreamConfig config)
            throws InterruptedException {
        AtomicReference<IndexFeed> feed = new AtomicReference<>();
        AtomicReference<String> failure = new AtomicReference<>();
        try (StopSignal stop = new StopSignal();
                SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings());
                Operations operations =
                        new Operations(config, () -> Optional.ofNullable(failure.get()), () -> notReady(feed))) {
            Startup.prepare(config, registry, stop::isRequested);
            Startup.await(config, stop::isRequested, () -> log.info("Connected to {}", target.version()));
            if (!stop.isRequested()) {
                feed.set(new IndexFeed(config, new Contracts(registry), target, options, operations.metrics()));
                run(feed.get(), stop, failure);
            }
            log.info("Stopped");
            return stop.exitCode();
        }
    }

    private static void run(IndexFeed feed, StopSignal stop, AtomicReference<String> failure)
            throws InterruptedException {
        try {
            feed.run(stop::isRequested);
        } catch (OperatorException e) {
            failure.set(e.getMessage());
            throw e;
        }
    }

    private static Optional<String> notReady(AtomicReference<IndexFeed> feed) {
        return feed.get() == null ? Optional.of("starting") : feed.get().notReadyBecause();
    }
}
