/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.instance;

import io.tagstream.cli.ExitCode;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.Printable;
import io.tagstream.cli.Subcommand;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.query.Explanation;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "explain",
        description = {
            "Explains an image's tags: every label's score, threshold and prompts, whether the label was a candidate"
                    + " and by how much, and when and why tags were gained and lost.",
            "",
            "It asks a running Tagstream that serves its console.%n"
        },
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream explain cat.jpg --url http://127.0.0.1:8080",
            "  tagstream explain upload-1 --config tagstream.properties --all",
            "  tagstream explain upload-1 --config tagstream.properties --json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"1:the image is unknown, or Tagstream does not answer", "2:wrong usage"})
public final class ExplainCommand implements Callable<Integer>, Subcommand {
    private static final int LABELS = 20;

    @Parameters(index = "0", paramLabel = "IMAGE_ID", description = "The image's id.")
    private String imageId;

    @Option(names = "--all", description = "Show every label. Default: those with the highest scores, and every tag.")
    private boolean all;

    @Option(names = "--json", description = "Write one JSON object with every label.")
    private boolean json;

    @Mixin
    private InstanceOptions instance;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        Explanation explanation = instance.ask(client -> client.explain(imageId))
                .orElseThrow(() -> OperatorException.failed(
                        "there is no image \"%s\": was it tagged, and not deleted since?".formatted(imageId)));
        if (json) {
            InstanceOptions.printJson(explanation);
        } else {
            print(explanation);
        }
        return ExitCode.DONE;
    }

    private void print(Explanation image) {
        System.out.printf(
                "%s%n  %s%n  SHA-256 %s%n  model %s %s, vocabulary epoch %d%s, labels decoded: %s%n",
                Printable.of(image.imageId()),
                Printable.of(image.uri()),
                image.sha256(),
                image.modelId(),
                image.modelVersion(),
                image.vocabularyEpoch(),
                image.stale() ? " (stale: it could not be read again)" : "",
                image.selection());
        List<Explanation.LabelScore> labels = image.labels();
        for (int i = 0; i < labels.size(); i++) {
            if (all || i < LABELS || labels.get(i).emitted()) {
                print(labels.get(i), image.candidateCutoff());
            }
        }
        if (!all && labels.size() > LABELS) {
            System.out.printf("  ... %d labels in all; --all shows them%n", labels.size());
        }
        for (Explanation.TagHistory turn : image.history()) {
            System.out.printf(
                    Locale.ROOT,
                    "  %s  %s %s, score %.2f: %s, vocabulary epoch %d%n",
                    turn.at(),
                    turn.change() == Explanation.Change.ADDED ? "gained" : "lost",
                    Printable.of(turn.name()),
                    turn.score(),
                    turn.cause(),
                    turn.vocabularyEpoch());
        }
    }

    private static void print(Explanation.LabelScore label, double cutoff) {
        String score = label.score() == null ? "  - " : String.format(Locale.ROOT, "%.2f", label.score());
        String candidate = label.promise() == null
                ? ""
                : String.format(
                        Locale.ROOT,
                        "; %s %+.2f",
                        label.promise() >= cutoff ? "candidate" : "not a candidate",
                        label.promise() - cutoff);
        String prompts = label.prompts().isEmpty() ? "" : "; " + Printable.of(String.join(" | ", label.prompts()));
        System.out.printf(
                Locale.ROOT,
                "  %s %s  %s  (threshold %.2f%s%s%s)%n",
                label.emitted() ? "*" : " ",
                score,
                Printable.of(label.name()),
                label.threshold(),
                label.active() ? "" : ", shadow",
                candidate,
                prompts);
    }
}
