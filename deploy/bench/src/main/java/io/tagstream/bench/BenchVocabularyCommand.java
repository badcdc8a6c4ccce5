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
            "What the size of the vocabulary costs.",
            "",
            "Measures by turns, for vocabularies of several sizes, the whole pipeline, from references on a topic to committed"
                    + " tag events, saturated. Each size has an instance of Tagstream in a process of its own. Before that"
                    + " each photo is tagged once with all labels decoded and once as configured, which for large"
                    + " vocabularies is their candidates alone, and the tags are compared; and it is measured how long an"
                    + " instance takes from its start until it tags images, with vectors of the labels that were stored"
                    + " before.%n"
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
            "130, 143:ended in order by Ctrl-C or SIGTERM"
        })
final class BenchVocabularyCommand implements Callable<Integer> {
    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "A folder of images, of which it takes 256 at most. Default: the sample photos.")
    private Path images;

    @Option(
            names = "--labels",
            paramLabel = "N",
            split = ",",
            defaultValue = "100,4585",
            description = "Sizes of the vocabulary; the others are compared with the first. Default: ${DEFAULT-VALUE}.")
    private List<Integer> labels;

    @Option(
            names = "--vocabulary",
            paramLabel = "FILE",
            description =
                    "Text with the name of a label a line, of which a vocabulary is the first. Default: the model's own"
                            + " labels. Where these are fewer, made-up ones follow.")
    private Path vocabulary;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Length of each of the three measurements a size. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--heap",
            paramLabel = "MIB",
            defaultValue = "512",
            description = "An instance's largest heap. Default: ${DEFAULT-VALUE}.")
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
            throw OperatorException.invalid("--labels: a size is there twice");
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
