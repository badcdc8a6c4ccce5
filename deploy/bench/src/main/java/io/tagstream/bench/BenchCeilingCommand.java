/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.bench.CeilingBenchmark.Options;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.local.Samples;
import io.tagstream.model.bundle.BundleDescription.TokenType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream bench ceiling}. */
@Command(
        name = "ceiling",
        description = {
            "Measures everything but the model: what a model without cost could reach.",
            "",
            "Runs 'tagstream run' as it is shipped, saturated, with a bundle whose graphs cost next to nothing and have"
                    + " the shapes of a real model, and a broker in a process of its own. Gives the processor time per"
                    + " image in all and of the busiest thread, and by who takes it: streams, model (the thread that"
                    + " runs the graphs), fetch, decode and decoders, Kafka's clients, Java's compiler and collector,"
                    + " and others. Every combination of the given values is measured. Needs Linux.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream bench ceiling",
            "  tagstream bench ceiling --shape vit-b16 --source memory,files,http --threads 1,2,4 --json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:there is a result",
            "1:something prevented that",
            "2:wrong usage; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
final class BenchCeilingCommand implements Callable<Integer> {
    private static final List<String> KEPT = List.of("all", "bounded", "none");

    @Option(
            names = "--shape",
            paramLabel = "SHAPE",
            split = ",",
            defaultValue = "everyday,vit-b16",
            description = "Whose shapes the graphs have: everyday (52 x 256 tokens), vit-b16 (196 x 768 tokens)."
                    + " Default: ${DEFAULT-VALUE}.")
    private List<String> shapes;

    @Option(
            names = "--tokens",
            paramLabel = "TYPE",
            split = ",",
            defaultValue = "float16",
            description = "How the graphs give and take tokens: float16, as for GPUs, or float32."
                    + " Default: ${DEFAULT-VALUE}.")
    private List<String> tokens;

    @Option(
            names = "--features",
            paramLabel = "KEPT",
            split = ",",
            defaultValue = "all,none",
            description = "Which images' features to keep, as image.features: all, bounded, none."
                    + " Default: ${DEFAULT-VALUE}.")
    private List<String> features;

    @Option(
            names = "--threads",
            paramLabel = "N",
            split = ",",
            defaultValue = "1",
            description = "Numbers of stream threads. Default: ${DEFAULT-VALUE}.")
    private List<Integer> threads;

    @Option(
            names = "--source",
            paramLabel = "SOURCE",
            split = ",",
            defaultValue = "memory",
            description = "Where images come from: memory (tiny ones, inside their references), files, http."
                    + " Default: ${DEFAULT-VALUE}.")
    private List<String> sources;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "A folder of images, for files and http. Default: the sample photos.")
    private Path images;

    @Option(
            names = "--labels",
            paramLabel = "N",
            defaultValue = "400",
            description = "Size of the vocabulary. Default: ${DEFAULT-VALUE}.")
    private int labels;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description =
                    "Seconds that each measurement takes, after a warm-up of twice as many. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any other configuration key, such as model.batch.size=32.")
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
        features.stream().filter(kept -> !KEPT.contains(kept)).findFirst().ifPresent(kept -> {
            throw OperatorException.invalid("--features %s: choose from %s".formatted(kept, String.join(", ", KEPT)));
        });
        threads.forEach(number -> BenchOptions.atLeastOne("--threads", number));
        Options options = new Options(
                images == null ? Samples.directory() : images,
                shapes.stream().map(BenchCeilingCommand::shape).toList(),
                tokens.stream().map(BenchCeilingCommand::tokenType).toList(),
                features,
                threads,
                sources.stream().map(BenchCeilingCommand::place).toList(),
                labels,
                Duration.ofSeconds(seconds),
                settings);
        try (StopSignal stop = new StopSignal()) {
            List<CeilingResult> results = CeilingBenchmark.run(options, System.err::println, stop);
            if (!results.isEmpty()) {
                bench.print(results, CeilingResult::text, CeilingResult::json);
            }
            return stop.exitCode();
        }
    }

    private static CeilingShape shape(String name) {
        try {
            return CeilingShape.valueOf(constant(name));
        } catch (IllegalArgumentException e) {
            throw OperatorException.invalid("--shape %s: choose from %s".formatted(name, CeilingShape.names()), e);
        }
    }

    private static TokenType tokenType(String name) {
        try {
            return TokenType.valueOf(constant(name));
        } catch (IllegalArgumentException e) {
            throw OperatorException.invalid("--tokens %s: choose from float16, float32".formatted(name), e);
        }
    }

    private static CeilingImages.Place place(String name) {
        try {
            return CeilingImages.Place.valueOf(constant(name));
        } catch (IllegalArgumentException e) {
            throw OperatorException.invalid(
                    "--source %s: choose from %s".formatted(name, CeilingImages.Place.names()), e);
        }
    }

    private static String constant(String name) {
        return name.strip().toUpperCase(Locale.ROOT).replace('-', '_');
    }
}
