/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.bench.PipelineBenchmark.Options;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Version;
import io.tagstream.local.Samples;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream bench pipeline}. */
@Command(
        name = "pipeline",
        description = {
            "Measures how much of the model's own speed is left when images come from Kafka and tags go to Kafka.",
            "",
            "Measures in turn, on the same cores: a bare loop that runs the image encoder and head on pixels that are"
                    + " already decoded; and 'tagstream run' as it is shipped, saturated, from references on a topic to"
                    + " committed tag events, with a broker in a process of its own. Both have the same model, labels"
                    + " and batch size. If the scores of a"
                    + " tag event differ from the bare loop's, there is no result. Latency is measured at half the"
                    + " pipeline's speed, from a reference's due time to its committed tag event.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream bench pipeline",
            "  tagstream bench pipeline --images ~/Pictures --labels 1000 --seconds 30 --json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:there is a result",
            "1:something prevented that, or the two did not do the same work",
            "2:wrong usage; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
final class BenchPipelineCommand implements Callable<Integer> {
    @Option(names = "--images", paramLabel = "DIR", description = "A folder of images. Default: the sample photos.")
    private Path images;

    @Option(
            names = "--labels",
            paramLabel = "N",
            defaultValue = "400",
            description = "Size of the vocabulary: the model's own labels, then made-up ones if more are needed."
                    + " Default: ${DEFAULT-VALUE}.")
    private int labels;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Seconds that each of the seven measurements takes. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any other configuration key, such as model.batch.size=16.")
    private Map<String, String> settings = Map.of();

    @Mixin
    private BenchOptions bench;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() throws InterruptedException {
        logging.apply();
        BenchOptions.vocabularySize(labels);
        BenchOptions.atLeastOne("--seconds", seconds);
        Path directory = images == null ? Samples.directory() : images;
        try (StopSignal stop = new StopSignal()) {
            PipelineBenchmark.run(
                            new Options(directory, labels, Duration.ofSeconds(seconds), settings),
                            System.err::println,
                            stop)
                    .ifPresent(this::print);
            return stop.exitCode();
        }
    }

    private void print(PipelineResult result) {
        bench.print(result.text(), result.json());
    }
}
