/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription;
import io.tagstream.model.bundle.BundleException;
import io.tagstream.topology.control.Controls;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tagstream model use}. */
@Command(
        name = "use",
        description = {
            "Puts a bundle in force for all instances of the application. Instances that have it (model.bundle) take the"
                    + " partitions, and known images are read again; instances with any other bundle wait.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream model use ~/bundles/clip --config tagstream.properties",
            "  tagstream model use --back --config tagstream.properties"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the bundle is in force",
            "1:the bundle is damaged, or the cluster cannot be changed",
            "2:wrong usage or configuration"
        })
final class ModelUseCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "BUNDLE",
            description = "The bundle's directory, or classpath: and its path in a jar.")
    private String location;

    @Option(names = "--back", description = "Put the bundle in force that was in force before.")
    private boolean back;

    @Mixin
    private ControlOptions control;

    @Override
    public Integer call() {
        if (back == (location != null)) {
            throw OperatorException.invalid("give either a BUNDLE or --back");
        }
        Optional<BundleRelease> wanted = Optional.ofNullable(location).map(ModelUseCommand::load);
        ControlOptions.Outcome outcome = control.change(before ->
                Controls.next(before, wanted.orElseGet(() -> before(before)), before.getPolicy(), Instant.now()));
        ClusterControl now = outcome.inForce();
        control.print(
                now,
                output -> output.println(
                        outcome.changed()
                                ? "Bundle %s is in force (control revision %d); %s was before."
                                        .formatted(
                                                Controls.named(now.getBundle()),
                                                now.getRevision(),
                                                Controls.named(now.getEarlier().get(0)))
                                : "Bundle %s is in force already; nothing was changed."
                                        .formatted(Controls.named(now.getBundle()))));
        return ExitCode.DONE;
    }

    private static BundleRelease before(ClusterControl control) {
        return control.getEarlier().stream()
                .findFirst()
                .orElseThrow(
                        () -> OperatorException.failed("no other bundle was in force before %s; nothing was changed"
                                .formatted(Controls.named(control.getBundle()))));
    }

    private static BundleRelease load(String location) {
        try {
            BundleDescription bundle = Bundle.load(location).description();
            return new BundleRelease(bundle.id(), bundle.version(), bundle.generation());
        } catch (BundleException e) {
            throw OperatorException.failed(e.getMessage(), e);
        }
    }
}
