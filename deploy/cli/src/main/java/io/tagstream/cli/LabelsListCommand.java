/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.topology.vocabulary.LabelLimits;
import io.tagstream.topology.vocabulary.Vocabulary;
import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream labels list}. */
@Command(
        name = "list",
        description = "Lists the labels.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class LabelsListCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Option(names = "--json", description = "Write one JSON object per line: id, name, prompts, threshold, state.")
    private boolean json;

    @Mixin
    private LabelsOptions labels;

    @Override
    public Integer call() {
        return labels.with(access -> {
            Map<String, Label> present = access.topic().read().labels();
            PrintStream out = Terminal.utf8Output();
            present.forEach((id, label) -> out.println(json ? json(id, label) : text(id, label)));
            out.flush();
            if (present.isEmpty()) {
                Terminal.note(Vocabulary.EMPTY);
            }
            return ExitCode.DONE;
        });
    }

    private static String text(String id, Label label) {
        StringBuilder line = new StringBuilder(LabelLimits.readable(id));
        if (!label.getName().equals(id)) {
            line.append("  \"").append(LabelLimits.readable(label.getName())).append('"');
        }
        if (label.getState() == LabelState.SHADOW) {
            line.append("  SHADOW");
        }
        if (label.getThreshold() != null) {
            line.append("  threshold ").append(label.getThreshold());
        }
        if (!label.getPrompts().isEmpty()) {
            line.append("  ").append(LabelLimits.readable(String.join(" | ", label.getPrompts())));
        }
        return line.toString();
    }

    private static String json(String id, Label label) {
        ObjectNode node = JSON.createObjectNode();
        node.put("id", id).put("name", label.getName());
        label.getPrompts().forEach(node.putArray("prompts")::add);
        node.put("threshold", label.getThreshold())
                .put("state", label.getState().name());
        return node.toString();
    }
}
