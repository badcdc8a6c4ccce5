/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.cluster.OperatorException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tagstream labels set}. */
@Command(
        name = "set",
        description = "Changes a label. Anything that is not given stays the same.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream labels set heron --threshold 0.8 --state active",
            "  tagstream labels set heron --threshold model --prompt ''"
        })
public final class LabelsSetCommand implements Callable<Integer> {
    private static final String MODELS_OWN = "model";

    @Parameters(index = "0", paramLabel = "ID", description = "The label's id, as labels list shows it.")
    private String id;

    @Option(names = "--name", paramLabel = "NAME", description = "The name that people see in tags.")
    private String name;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "A text that describes the label to the model. Can be given more than once; replaces all"
                    + " earlier prompts. An empty one restores the model's own templates.")
    private List<String> prompts;

    @Option(
            names = "--threshold",
            paramLabel = "X",
            description = "The lowest score, from 0 to 1, at which the tag is emitted; \"model\": the model's.")
    private String threshold;

    @Option(
            names = "--state",
            paramLabel = "STATE",
            description = "ACTIVE: emitted. SHADOW: scored and counted, but not emitted.")
    private LabelState state;

    @Mixin
    private LabelsOptions.Change options;

    @Mixin
    private LabelsOptions labels;

    @Override
    public Integer call() {
        return labels.with(access -> {
            Map<String, Label> present = access.topic().read().labels();
            String meant = LabelsOptions.id(present, id);
            Label before = present.get(meant);
            if (before == null) {
                throw OperatorException.invalid(
                        "there is no label \"%s\"; add it with: tagstream labels add %s".formatted(id, id));
            }
            Label after = changed(before);
            return LabelsOptions.apply(
                    access, present, after.equals(before) ? Map.of() : Map.of(meant, after), options);
        });
    }

    private Label changed(Label before) {
        Label.Builder after = Label.newBuilder(before);
        Optional.ofNullable(name).ifPresent(after::setName);
        Optional.ofNullable(state).ifPresent(after::setState);
        if (prompts != null) {
            after.setPrompts(prompts.equals(List.of("")) ? List.of() : prompts);
        }
        if (threshold != null) {
            after.setThreshold(threshold.equalsIgnoreCase(MODELS_OWN) ? null : checked(number(threshold)));
        }
        return after.build();
    }

    private static Double number(String threshold) {
        try {
            return Double.valueOf(threshold);
        } catch (NumberFormatException e) {
            throw OperatorException.invalid(
                    "--threshold %s: must be a score from 0 to 1, or \"%s\"".formatted(threshold, MODELS_OWN), e);
        }
    }

    /** Checks that a threshold is a score, or null. */
    public static Double checked(Double threshold) {
        if (threshold != null && !(threshold >= 0 && threshold <= 1)) {
            throw OperatorException.invalid("--threshold %s: must be a score from 0 to 1".formatted(threshold));
        }
        return threshold;
    }
}
