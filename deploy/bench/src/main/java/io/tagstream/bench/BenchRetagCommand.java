/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.bench.RetagBenchmark.Options;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.local.Samples;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream bench retag}. */
@Command(
        name = "retag",
        description = {
            "Measures how fast known images follow a new label, and how that affects uploads.",
            "",
            "Measures in one process, through Kafka: images that are read, decoded and encoded, with the pipeline"
                    + " saturated; known images that follow one new label without being read again, from producing it"
                    + " to the last committed event; uploads at a steady rate, without and with known images that"
                    + " follow; and the time from producing a label to the first event that carries it. The known"
                    + " images are the photos, each many times under different ids. Each must get the tags that its"
                    + " photo gets when it is uploaded under the new vocabulary, with exactly one event if they have"
                    + " changed; otherwise there is no result. Also reports what is stored for an image and how long it"
                    + " takes to restore all of that.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream bench retag",
            "  tagstream bench retag --images 100000 --photos ~/Pictures --labels 400 --json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:there is a result",
            "1:something prevented that, or images did not follow as they should",
            "2:wrong usage; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
final class BenchRetagCommand implements Callable<Integer> {
    private static final int MOST_PERCENT = 90;

    @Option(
            names = "--images",
            paramLabel = "N",
            defaultValue = "10000",
            description = "Minimum number of known images. Default: ${DEFAULT-VALUE}.")
    private int images;

    @Option(
            names = "--photos",
            paramLabel = "DIR",
            description = "A folder of images; at most 64 are used. Default: the sample photos.")
    private Path photos;

    @Option(
            names = "--labels",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Size of the vocabulary: the model's own labels, then made-up ones if more are needed."
                    + " Default: ${DEFAULT-VALUE}.")
    private int labels;

    @Option(
            names = "--load",
            paramLabel = "PERCENT",
            defaultValue = "30",
            description = "Rate of uploads, in per cent of the speed of tagging new images. Default: ${DEFAULT-VALUE}.")
    private int load;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "15",
            description = "Seconds that each of the eight timed measurements takes. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--produced",
            paramLabel = "N",
            defaultValue = "30",
            description = "Labels produced one after the other, each timed until the first event carries it. Default:"
                    + " ${DEFAULT-VALUE}.")
    private int produced;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any other configuration key, such as sweep.max.images.per.second=500.")
    private Map<String, String> settings = Map.of();

    @Mixin
    private BenchOptions bench;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() throws InterruptedException {
        logging.apply();
        BenchOptions.vocabularySize(labels);
        BenchOptions.atLeastOne("--images", images);
        BenchOptions.atLeastOne("--seconds", seconds);
        BenchOptions.atLeastOne("--produced", produced);
        if (load < 1 || load > MOST_PERCENT) {
            throw OperatorException.invalid("--load %d: must be from 1 to %d per cent".formatted(load, MOST_PERCENT));
        }
        Path directory = photos == null ? Samples.directory() : photos;
        try (StopSignal stop = new StopSignal()) {
            RetagBenchmark.run(
                            new Options(
                                    directory,
                                    images,
                                    labels,
                                    load / 100.0,
                                    Duration.ofSeconds(seconds),
                                    produced,
                                    settings),
                            System.err::println,
                            stop)
                    .ifPresent(this::print);
            return stop.exitCode();
        }
    }

    private void print(RetagResult result) {
        bench.print(result.text(), result.json());
    }
}
