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
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tagstream labels add}. */
@Command(
        name = "add",
        description = "Adds a label.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  tagstream labels add heron", "  tagstream labels add sea-lion --name 'sea lion' --threshold 0.7"})
final class LabelsAddCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "ID", description = "The label's id, as in tags.")
    private String id;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "The name that people see in tags, and that replaces {} in prompts. Default: the id.")
    private String name;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "A text that describes the label to the model, such as 'a photo of a {} in flight'. Can be"
                    + " given more than once. Default: the model's own templates.")
    private List<String> prompts = List.of();

    @Option(
            names = "--threshold",
            paramLabel = "X",
            description = "The lowest score, from 0 to 1, at which the tag is emitted. Default: the model's threshold.")
    private Double threshold;

    @Option(names = "--shadow", description = "Score and count the label, but do not emit it yet.")
    private boolean shadow;

    @Mixin
    private LabelsOptions.Change options;

    @Mixin
    private LabelsOptions labels;

    @Override
    public Integer call() {
        Label label = Label.newBuilder()
                .setName(name == null ? id : name)
                .setPrompts(prompts)
                .setThreshold(LabelsSetCommand.checked(threshold))
                .setState(shadow ? LabelState.SHADOW : LabelState.ACTIVE)
                .build();
        return labels.with(access -> {
            Map<String, Label> present = access.topic().read().labels();
            if (present.containsKey(id)) {
                throw OperatorException.invalid(
                        "label \"%s\" already exists; change it with: tagstream labels set %s".formatted(id, id));
            }
            return LabelsOptions.apply(access, present, Map.of(id, label), options);
        });
    }
}
