/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.bench.VocabularyBenchmark.Options;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.local.Samples;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream bench vocabulary}. */
@Command(
        name = "vocabulary",
        description = {
            "Measures what the size of the vocabulary costs.",
            "",
            "Measures in turn, for vocabularies of several sizes, the whole saturated pipeline, from references on a"
                    + " topic to committed tag events. Each size has its own instance of Tagstream in a separate"
                    + " process. First, each photo is tagged once with all labels decoded and once as configured (for"
                    + " large vocabularies, with candidates only), and the tags are compared. Also measures how long an"
                    + " instance takes from its start until it tags images when the label vectors are already stored.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream bench vocabulary --labels 100,4585",
            "  tagstream bench vocabulary --labels 100,2000 --vocabulary words.txt --images ~/Pictures --json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:there is a result",
            "1:something prevented that",
            "2:wrong usage; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
final class BenchVocabularyCommand implements Callable<Integer> {
    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "A folder of images; at most 256 are used. Default: the sample photos.")
    private Path images;

    @Option(
            names = "--labels",
            paramLabel = "N",
            split = ",",
            defaultValue = "100,4585",
            description = "Vocabulary sizes; the others are compared with the first. Default: ${DEFAULT-VALUE}.")
    private List<Integer> labels;

    @Option(
            names = "--vocabulary",
            paramLabel = "FILE",
            description =
                    "A text file with one label name per line; a vocabulary takes the first ones. Default: the model's"
                            + " own labels. If there are too few, made-up ones follow.")
    private Path vocabulary;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Seconds that each of the three measurements per size takes. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--heap",
            paramLabel = "MIB",
            defaultValue = "512",
            description = "An instance's maximum heap. Default: ${DEFAULT-VALUE}.")
    private int heap;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any other configuration key, such as vocabulary.selection=top-200.")
    private Map<String, String> settings = Map.of();

    @Mixin
    private BenchOptions bench;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() throws InterruptedException {
        logging.apply();
        labels.forEach(BenchOptions::vocabularySize);
        if (new HashSet<>(labels).size() < labels.size()) {
            throw OperatorException.invalid("--labels: a size is given twice");
        }
        BenchOptions.atLeastOne("--seconds", seconds);
        BenchOptions.atLeastOne("--heap", heap);
        Path directory = images == null ? Samples.directory() : images;
        try (StopSignal stop = new StopSignal()) {
            List<VocabularyResult> results = VocabularyBenchmark.run(
                    new Options(
                            directory,
                            labels,
                            Optional.ofNullable(vocabulary),
                            Duration.ofSeconds(seconds),
                            heap,
                            settings),
                    System.err::println,
                    stop);
            if (!results.isEmpty()) {
                print(results);
            }
            return stop.exitCode();
        }
    }

    private void print(List<VocabularyResult> results) {
        VocabularyResult first = results.get(0);
        bench.print(results, result -> result.text(first), result -> result.json(first));
    }
}
