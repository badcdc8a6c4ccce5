/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tagstream.avro.Label;
import io.tagstream.cluster.vocabulary.BundleVocabulary;
import io.tagstream.cluster.vocabulary.VocabularyCsv;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tagstream labels import}. */
@Command(
        name = "import",
        description = {
            "Adds and changes labels from a CSV file, or the model's own labels, all at once.",
            "",
            "Importing the same labels again changes nothing. With --json, an object with given, toAdd, toChange and"
                    + " toRemove comes first.%n"
        },
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream labels import birds.csv",
            "  tagstream labels import vocabulary.csv --replace --dry-run",
            "  tagstream labels import --bundle --if-empty"
        })
final class LabelsImportCommand implements Callable<Integer> {
    @ArgGroup(multiplicity = "1")
    private Source source;

    /** Where the labels come from. */
    private static final class Source {
        @Parameters(
                index = "0",
                paramLabel = "FILE.csv",
                description = "A file with a header and the columns id, name and optionally prompts (separated by |),"
                        + " threshold (0 to 1) and state (ACTIVE, SHADOW).")
        private Path file;

        @Option(
                names = "--bundle",
                required = true,
                description = "The labels that come with the model (model.bundle), instead of a file.")
        private boolean bundle;
    }

    @Option(names = "--if-empty", description = "Change nothing if the vocabulary has labels.")
    private boolean ifEmpty;

    @Option(names = "--replace", description = "Remove the labels that are not in the file.")
    private boolean replace;

    @Option(names = "--dry-run", description = "Only say what would change.")
    private boolean dryRun;

    @Mixin
    private LabelsOptions.Change options;

    @Mixin
    private LabelsOptions labels;

    @Override
    public Integer call() {
        Optional<Map<String, Label>> read =
                source.bundle ? Optional.empty() : Optional.of(VocabularyCsv.read(source.file));
        return labels.with(access -> {
            Map<String, Label> wanted = read.orElseGet(
                    () -> BundleVocabulary.read(access.config().getString(TagstreamConfig.MODEL_BUNDLE)));
            Map<String, Label> present = access.topic().read().labels();
            wanted.replaceAll((id, label) -> withAttributesOf(present.get(id), label));
            Map<String, Label> changes =
                    ifEmpty && !present.isEmpty() ? Map.of() : VocabularyTopic.changes(present, wanted, replace);
            long removed = changes.values().stream().filter(Objects::isNull).count();
            long added = changes.keySet().stream()
                    .filter(id -> !present.containsKey(id))
                    .count();
            long changed = changes.size() - added - removed;
            LabelsOptions.print(
                    options,
                    JsonNodeFactory.instance
                            .objectNode()
                            .put("given", wanted.size())
                            .put("toAdd", added)
                            .put("toChange", changed)
                            .put("toRemove", removed),
                    "%d labels in the %s: %d to add, %d to change, %d to remove."
                            .formatted(wanted.size(), source.bundle ? "bundle" : "file", added, changed, removed));
            return dryRun ? ExitCode.DONE : LabelsOptions.apply(access, present, changes, options);
        });
    }

    /** Keeps the attributes of the present label, because a file has none. */
    private static Label withAttributesOf(Label present, Label label) {
        return present == null
                ? label
                : Label.newBuilder(label).setAttributes(present.getAttributes()).build();
    }
}
