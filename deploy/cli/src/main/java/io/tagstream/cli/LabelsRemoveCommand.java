/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.Label;
import io.tagstream.cluster.OperatorException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code tagstream labels remove}. */
@Command(
        name = "remove",
        description = "Removes labels.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class LabelsRemoveCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "ID", description = "The labels' ids, as labels list shows them.")
    private List<String> ids;

    @Mixin
    private LabelsOptions.Change options;

    @Mixin
    private LabelsOptions labels;

    @Override
    public Integer call() {
        return labels.with(access -> {
            Map<String, Label> present = access.topic().read().labels();
            List<String> meant =
                    ids.stream().map(id -> LabelsOptions.id(present, id)).toList();
            List<String> unknown =
                    meant.stream().filter(id -> !present.containsKey(id)).toList();
            if (!unknown.isEmpty()) {
                throw OperatorException.invalid(
                        "there is no label \"%s\"; nothing was removed".formatted(String.join("\", \"", unknown)));
            }
            Map<String, Label> removals = new LinkedHashMap<>();
            meant.forEach(id -> removals.put(id, null));
            return LabelsOptions.apply(access, present, removals, options);
        });
    }
}
