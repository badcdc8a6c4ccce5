/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.control.Instances;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tagstream model list}. */
@Command(
        name = "list",
        description = "Lists the bundle in force, those that were in force before, the latest first, and the bundle of"
                + " each instance that runs.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:listed", "1:the cluster cannot be read", "2:wrong usage or configuration"})
final class ModelListCommand implements Callable<Integer> {
    @Mixin
    private ControlOptions control;

    @Override
    public Integer call() {
        ClusterControl now = control.read();
        control.print(now, output -> {
            output.println(Terminal.Colour.GOOD.of("in force  ")
                    + Printable.of(Controls.named(now.getBundle()))
                    + Terminal.Colour.QUIET.of(
                            " since %s, control revision %d".formatted(now.getChangedAt(), now.getRevision())));
            now.getEarlier()
                    .forEach(bundle -> output.println(
                            Terminal.Colour.QUIET.of("before    ") + Printable.of(Controls.named(bundle))));
            listInstances(now.getBundle(), output);
        });
        return ExitCode.DONE;
    }

    private void listInstances(BundleRelease inForce, PrintStream output) {
        List<Instances.Instance> instances;
        try {
            instances = control.instances();
        } catch (KafkaException e) {
            output.println("The bundles of the instances are not known: " + Printable.of(e.getMessage()));
            return;
        }
        instances.forEach(instance -> output.println("instance  " + described(instance, inForce)));
        if (instances.isEmpty()) {
            output.println("No instance runs.");
        }
    }

    private static String described(Instances.Instance instance, BundleRelease inForce) {
        String host = Printable.of(instance.host());
        if (instance.bundle().isEmpty()) {
            return host + " does not say which bundle it has: it has another version of Tagstream";
        }
        BundleRelease bundle = instance.bundle().get();
        return "%s has %s%s"
                .formatted(host, Printable.of(Controls.named(bundle)), bundle.equals(inForce) ? "" : ", so it waits");
    }
}
