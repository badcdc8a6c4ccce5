/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.feed.IndexTarget;
import io.tagstream.feed.SearchOptions;
import io.tagstream.feed.opensearch.OpenSearchTarget;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream bench index}. */
@Command(
        name = "index",
        description = {
            "Measures how fast tag events get from Kafka into a search index.",
            "",
            "Measures in turn, in one process: the client's bulk ingester alone, on prepared documents; and the whole"
                    + " feed, from records on a topic of a broker in this process. Both write the same documents in"
                    + " requests of the same size. Each round writes to a new index, which is deleted afterwards. A"
                    + " first round warms up and does not count.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  tagstream bench index --url http://127.0.0.1:9200 --json"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:there is a result",
            "1:something prevented that, or one of the two did not write every document",
            "2:wrong usage; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
final class BenchIndexCommand implements Callable<Integer> {
    @Mixin
    private SearchOptions search;

    @Option(
            names = "--documents",
            paramLabel = "N",
            defaultValue = "20000",
            description = "Documents per round. Default: ${DEFAULT-VALUE}.")
    private int documents;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "4",
            description = "Rounds that count. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Mixin
    private BenchOptions bench;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() throws InterruptedException {
        logging.apply();
        BenchOptions.atLeastOne("--documents", documents);
        BenchOptions.atLeastOne("--rounds", rounds);
        try (StopSignal stop = new StopSignal();
                IndexTarget target = search.target()) {
            if (!(target instanceof OpenSearchTarget openSearch)) {
                throw OperatorException.invalid(
                        "--url: this benchmark compares with the bulk ingester of OpenSearch's client,"
                                + " so it needs an OpenSearch or Elasticsearch node");
            }
            IndexBenchmark.run(openSearch.server(), documents, rounds, System.err::println, stop)
                    .ifPresent(this::print);
            return stop.exitCode();
        }
    }

    private void print(IndexResult result) {
        bench.print(result.text(), result.json());
    }
}
