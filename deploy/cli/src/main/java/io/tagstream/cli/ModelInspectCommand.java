/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream model inspect}. */
@Command(
        name = "inspect",
        description = "Describes a bundle: its origin, its inputs and outputs, and how it scores.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  tagstream model inspect", "  tagstream model inspect ~/bundles/clip"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:described", "1:it is damaged or not a bundle", "2:wrong usage"})
final class ModelInspectCommand implements Callable<Integer> {
    @Mixin
    private BundleArgument bundle;

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        Bundle loaded = bundle.load();
        BundleDescription about = loaded.description();
        PrintStream output = Terminal.utf8Output();
        if (json) {
            output.println(object(about, loaded.textFingerprint()));
        } else {
            print(about, loaded.textFingerprint(), output);
        }
        output.flush();
        return ExitCode.DONE;
    }

    private static ObjectNode object(BundleDescription about, String fingerprint) {
        ObjectNode object = JsonNodeFactory.instance
                .objectNode()
                .put("id", about.id())
                .put("version", about.version())
                .put("generation", about.generation())
                .put("license", about.license())
                .put("provenance", about.provenance());
        object.putObject("image")
                .put("size", about.image().size())
                .put("resize", about.image().resize().name())
                .put("tokens", about.image().tokens())
                .put("tokenWidth", about.image().tokenWidth())
                .put("embeddingSize", about.image().embeddingSize());
        object.put("decoder", about.decoder().isPresent());
        ObjectNode text = object.putObject("text")
                .put("maxTokens", about.text().maxTokens())
                .put("fingerprint", fingerprint);
        about.text().templates().forEach(text.putArray("templates")::add);
        object.putObject("scoring")
                .put("defaultThreshold", about.scoring().defaultThreshold())
                .put("topK", about.scoring().topK())
                .put("candidateCutoff", about.scoring().candidateCutoff());
        return object;
    }

    private static void print(BundleDescription about, String fingerprint, PrintStream output) {
        line(output, "id", about.id());
        line(output, "version", about.version());
        line(output, "generation", String.valueOf(about.generation()));
        line(output, "licence", about.license());
        line(output, "provenance", about.provenance());
        line(
                output,
                "image",
                "%d x %d pixels, %s"
                        .formatted(
                                about.image().size(),
                                about.image().size(),
                                about.image().resize()));
        line(
                output,
                "tokens",
                about.image().tokens() == 0
                        ? "none"
                        : "%d of width %d"
                                .formatted(about.image().tokens(), about.image().tokenWidth()));
        line(output, "embedding", "%d numbers".formatted(about.image().embeddingSize()));
        line(output, "decoder", about.decoder().isPresent() ? "ML-Decoder" : "none: scaled cosine");
        line(
                output,
                "text",
                "up to %d tokens; fingerprint %s".formatted(about.text().maxTokens(), fingerprint));
        line(output, "prompts", String.join(" | ", about.text().templates()));
        line(
                output,
                "scoring",
                "threshold %s, at most %d tags, candidates from %s"
                        .formatted(
                                about.scoring().defaultThreshold(),
                                about.scoring().topK(),
                                about.scoring().candidateCutoff()));
    }

    private static void line(PrintStream output, String name, String value) {
        output.println(Terminal.Colour.QUIET.of("%-12s".formatted(name)) + Printable.of(value));
    }
}
