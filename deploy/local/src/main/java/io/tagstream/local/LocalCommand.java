/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.OutcomeFormat;
import io.tagstream.cli.StopSignal;
import io.tagstream.cli.Subcommand;
import io.tagstream.cli.Terminal;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tagstream local}. */
@Command(
        name = "local",
        description = {
            "Tags images on this machine, with a Kafka broker, a schema registry and the model in one process.",
            "",
            "Writes one line per image to standard output and everything else to standard error. Without --once, it"
                    + " keeps running: it tags images that are added to the folders or changed, deletes the tags of"
                    + " those that are removed, and serves a console for the browser.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream local --once                           tag the sample photos",
            "  tagstream local ~/Pictures                       tag a folder, then follow its changes",
            "  tagstream local ~/Pictures --once --json > tags.jsonl",
            "  tagstream local https://example.org/cat.jpg cat.jpg --once",
            "  tagstream local ~/Pictures --vocabulary labels.csv --min-score 0.3",
            "  tagstream local ~/Pictures --data-dir ~/.tagstream --once",
            "                                                   the second run tags only what has changed"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every image has its outcome: its tags, or why it failed",
            "1:something prevented that, such as a damaged model or a port in use",
            "2:wrong usage, such as a path that does not exist, a folder without images, or a vocabulary with an"
                    + " error; nothing was done",
            "130, 143:stopped cleanly by Ctrl-C or SIGTERM"
        })
public final class LocalCommand implements Callable<Integer>, Subcommand {
    private static final int LAST_PORT = 65_534;

    @Parameters(
            arity = "0..*",
            paramLabel = "PATH|URL",
            description = {
                "Images, folders (with their subfolders), and http or https URLs. Default: the sample photos.",
                "An image's id is its path relative to the given folder, its name if the file itself was given, or its"
                        + " URL. Files of several folders that would have the same id have their absolute paths as ids."
            })
    private List<String> images = List.of();

    @Option(names = "--once", description = "Stop when every image has its outcome.")
    private boolean once;

    @Option(
            names = "--json",
            description = "Write one JSON object per line: imageId, uri, and either tags (labelId, name, score), width,"
                    + " height, vocabularyEpoch and model, or failure (reason, message), or, for a removed"
                    + " image, deleted.")
    private boolean json;

    @Option(
            names = "--vocabulary",
            paramLabel = "FILE.csv",
            description =
                    "Replace the vocabulary with the labels of this file. It has a header and the columns id, name and,"
                            + " optionally, prompts (separated by |), threshold (0 to 1) and state (ACTIVE or SHADOW)."
                            + " Default: the vocabulary in the data directory, or else the model's own.")
    private Path vocabulary;

    @Option(
            names = "--top-k",
            paramLabel = "N",
            description = "Maximum number of tags per image. Default: the model's.")
    private Integer topK;

    @Option(
            names = "--min-score",
            paramLabel = "X",
            description = "Minimum score of a tag, from 0 to 1, instead of the thresholds of the labels and the model."
                    + " With 0 and a large --top-k, every score is shown.")
    private Double minScore;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description =
                    "Keep Kafka's data here. The next run with the same directory shows every image's tags, but tags"
                            + " only what has changed. Default: a temporary directory that is deleted at the end.")
    private Path dataDirectory;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "0",
            description = "Port of Kafka on 127.0.0.1; the schema registry uses N+1. Default: free ports.")
    private int port;

    @Option(
            names = "--http-port",
            paramLabel = "N",
            description =
                    "Port of the console on 127.0.0.1, which runs without --once; 0 means a free port. Default: 8080,"
                            + " or a free port if 8080 is in use.")
    private Integer httpPort;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description =
                    "Any other configuration key, such as fetch.timeout.ms=2000 or decode.max.pixels=200000000; see"
                            + " deploy/docs/configuration.md.")
    private Map<String, String> settings = Map.of();

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        LocalOptions options = options();
        OutcomeFormat format = json ? OutcomeFormat.JSON : OutcomeFormat.TEXT;
        Output output = new Output(Terminal.utf8Output(), System.err, format, Terminal.isWatched());
        try (StopSignal stop = new StopSignal();
                output) {
            LocalSession.run(options, output, stop);
            return stop.exitCode();
        }
    }

    private LocalOptions options() {
        if (topK != null && topK < 1) {
            throw OperatorException.invalid("--top-k %d: must be at least 1".formatted(topK));
        }
        if (minScore != null && !(minScore >= 0 && minScore <= 1)) {
            throw OperatorException.invalid("--min-score %s: must be from 0 to 1".formatted(minScore));
        }
        if (port < 0 || port > LAST_PORT) {
            throw OperatorException.invalid("--port %d: must be from 0 to %d".formatted(port, LAST_PORT));
        }
        if (httpPort != null && (httpPort < 0 || httpPort > LAST_PORT + 1)) {
            throw OperatorException.invalid("--http-port %d: must be from 0 to %d".formatted(httpPort, LAST_PORT + 1));
        }
        return new LocalOptions(
                images.isEmpty() ? List.of(Samples.directory().toString()) : images,
                once,
                new LocalOptions.Tagging(
                        Optional.ofNullable(vocabulary),
                        topK == null ? OptionalInt.empty() : OptionalInt.of(topK),
                        minScore == null ? OptionalDouble.empty() : OptionalDouble.of(minScore)),
                Optional.ofNullable(dataDirectory),
                new LocalOptions.Ports(port, httpPort == null ? OptionalInt.empty() : OptionalInt.of(httpPort)),
                settings);
    }
}
