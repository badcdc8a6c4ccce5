/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.cluster.OperatorException;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleException;
import io.tagstream.model.image.DecodeIsolation;
import io.tagstream.model.onnx.ExecutionProvider;
import io.tagstream.model.onnx.ExecutionProviderException;
import io.tagstream.model.onnx.OnnxModelRuntime;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream model verify}. */
@Command(
        name = "verify",
        description = "Checks a bundle's files against their checksums, and runs its self-test: images and labels whose"
                + " scores its author recorded.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  tagstream model verify", "  tagstream model verify ~/bundles/clip --execution-provider cuda"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it is intact, and gives the recorded scores on this machine",
            "1:it is damaged, is not a bundle, or gives other scores",
            "2:wrong usage"
        })
final class ModelVerifyCommand implements Callable<Integer> {
    @Mixin
    private BundleArgument bundle;

    @Option(
            names = "--execution-provider",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description = "Where the model runs: cpu, cuda, tensorrt or auto. Default: cpu.")
    private String provider;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        Bundle loaded = bundle.load();
        try (OnnxModelRuntime runtime = OnnxModelRuntime.builder(loaded)
                .executionProvider(provider())
                .decodeIsolation(DecodeIsolation.NONE)
                .build()) {
            System.out.printf(
                    "%s %s: all files match their checksums, and the self-test's %d scores are within %s of the"
                            + " recorded ones.%n",
                    runtime.description().id(),
                    runtime.description().version(),
                    loaded.description().selfTest().images()
                            * loaded.description().selfTest().labels().size(),
                    loaded.description().selfTest().tolerance());
            return ExitCode.DONE;
        } catch (BundleException | ExecutionProviderException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
    }

    private ExecutionProvider provider() {
        try {
            return ExecutionProvider.of(provider);
        } catch (IllegalArgumentException e) {
            throw OperatorException.invalid(
                    "--execution-provider %s: must be cpu, cuda, tensorrt or auto".formatted(provider), e);
        }
    }
}
