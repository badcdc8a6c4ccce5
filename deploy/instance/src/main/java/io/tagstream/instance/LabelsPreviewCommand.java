/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.instance;

import io.tagstream.cli.ExitCode;
import io.tagstream.cli.LabelsSetCommand;
import io.tagstream.cli.LoggingOptions;
import io.tagstream.cli.Printable;
import io.tagstream.cli.Subcommand;
import io.tagstream.cli.Version;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.LabelText;
import io.tagstream.topology.query.Preview;
import io.tagstream.topology.vocabulary.LabelLimits;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "preview",
        description = {
            "Shows how many known images a label would match at several thresholds, and which match best, without"
                    + " adding it.",
            "",
            "It asks a running Tagstream that serves its console. All instances score the images whose features are"
                    + " kept (image.features).%n"
        },
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream labels preview heron --url http://127.0.0.1:8080",
            "  tagstream labels preview 'a photo of a heron' --threshold 0.55",
            "  tagstream labels preview heron --prompt 'a {} at a lake' --prompt 'a {} in flight' --json"
        })
public final class LabelsPreviewCommand implements Callable<Integer>, Subcommand {
    @Override
    public String group() {
        return "labels";
    }

    private static final int LONGEST_BAR = 30;

    @Parameters(index = "0", paramLabel = "NAME", description = "The label's name, or a text that describes it.")
    private String name;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "A text that describes the label to the model, with {} for the name. Can be given more than"
                    + " once. Default: the model's own templates.")
    private List<String> prompts = List.of();

    @Option(
            names = "--threshold",
            paramLabel = "X",
            description = "The threshold that the label would have, from 0 to 1. Default: the model's threshold.")
    private Double threshold;

    @Option(
            names = "--best",
            paramLabel = "N",
            defaultValue = "20",
            description = "How many of the best images to list. Default: ${DEFAULT-VALUE}.")
    private int best;

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    @Mixin
    private InstanceOptions instance;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        if (best < 0 || best > 100) {
            throw OperatorException.invalid("--best %d: must be a number from 0 to 100".formatted(best));
        }
        LabelText text = new LabelText(name, prompts);
        LabelLimits.refusal(text).ifPresent(refused -> {
            throw OperatorException.invalid(refused.message());
        });
        Double checked = LabelsSetCommand.checked(threshold);
        OptionalDouble at = checked == null ? OptionalDouble.empty() : OptionalDouble.of(checked);
        Preview preview = instance.ask(client -> client.preview(text, at, best));
        if (json) {
            InstanceOptions.printJson(preview);
        } else {
            print(preview);
        }
        return ExitCode.DONE;
    }

    private static void print(Preview preview) {
        System.out.printf(
                "%d known images scored%s; those that score %.2f or more would get the tag%n",
                preview.knownImages(), left(preview), preview.emittedFrom());
        for (Preview.Matches matches : preview.thresholds()) {
            long bar = preview.knownImages() == 0 ? 0 : LONGEST_BAR * matches.images() / preview.knownImages();
            boolean emitted = matches.threshold() == preview.emittedFrom();
            System.out.println("%s score %.2f or more  %7d  %s"
                    .formatted(emitted ? ">" : " ", matches.threshold(), matches.images(), "#".repeat((int) bar))
                    .stripTrailing());
        }
        for (Preview.ScoredImage image : preview.best()) {
            System.out.printf("  %.2f  %s%n", image.score(), Printable.of(image.imageId()));
        }
    }

    private static String left(Preview preview) {
        return preview.unknownImages() == 0
                ? ""
                : ", %d left out because their features are not kept".formatted(preview.unknownImages());
    }
}
