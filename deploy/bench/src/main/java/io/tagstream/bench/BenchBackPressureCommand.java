/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.bench.BackPressureBenchmark.Options;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Version;
import io.tagstream.local.Samples;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream bench backpressure}. */
@Command(
        name = "backpressure",
        description = {
            "Measures what references cost while they wait for a model that is too slow for them.",
            "",
            "For each number of references, starts a new broker in this process and a new instance of Tagstream in"
                    + " another, with its model slowed down, so that the heap and direct memory are the instance's"
                    + " alone. The references fill three of four partitions. The fourth gets 20 images during the"
                    + " measurement; how long they take shows whether work continues. Peaks are those of the measured"
                    + " time, which may end before all references are done.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  tagstream bench backpressure --waiting 1000,100000 --json"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:there is a result",
            "1:something prevented that",
            "2:wrong usage; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
final class BenchBackPressureCommand implements Callable<Integer> {
    @Option(names = "--images", paramLabel = "DIR", description = "A folder of images. Default: the sample photos.")
    private Path images;

    @Option(
            names = "--waiting",
            paramLabel = "N",
            split = ",",
            defaultValue = "1000,100000",
            description = "Numbers of waiting references. Default: ${DEFAULT-VALUE}.")
    private List<Integer> waiting;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "75",
            description = "How many seconds to measure each. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--slowdown",
            paramLabel = "X",
            defaultValue = "10",
            description = "How many times longer the model takes. Default: ${DEFAULT-VALUE}.")
    private int slowdown;

    @Option(
            names = "--heap",
            paramLabel = "MIB",
            defaultValue = "512",
            description = "The instance's maximum heap. Default: ${DEFAULT-VALUE}.")
    private int heap;

    @Option(
            names = "--labels",
            paramLabel = "N",
            defaultValue = "100",
            description = "Size of the vocabulary. Default: ${DEFAULT-VALUE}.")
    private int labels;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Any other configuration key.")
    private Map<String, String> settings = Map.of();

    @Mixin
    private BenchOptions bench;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() throws InterruptedException {
        logging.apply();
        BenchOptions.atLeastOne("--seconds", seconds);
        BenchOptions.atLeastOne("--slowdown", slowdown);
        BenchOptions.atLeastOne("--heap", heap);
        BenchOptions.atLeastOne("--labels", labels);
        waiting.forEach(number -> BenchOptions.atLeastOne("--waiting", number));
        Path directory = images == null ? Samples.directory() : images;
        try (StopSignal stop = new StopSignal()) {
            List<BackPressureResult> results = BackPressureBenchmark.run(
                    new Options(directory, waiting, seconds, slowdown, heap, labels, settings),
                    System.err::println,
                    stop);
            bench.print(results, BackPressureResult::text, BackPressureResult::json);
            return stop.exitCode();
        }
    }
}
