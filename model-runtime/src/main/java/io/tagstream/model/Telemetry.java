/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * ONNX Runtime's reports to its maker, and how to stop them.
 *
 * <p>On Linux and macOS, ONNX Runtime keeps a device id and a database of events in the user's cache directory
 * ({@code ~/.cache/Microsoft/DeveloperTools/.onnxruntime}) and uploads the events, unless {@value #VARIABLE} is
 * {@code 1} in the environment before it loads. A Java program cannot set a variable for itself, and ONNX Runtime's own
 * switch, {@code OrtEnvironment.setTelemetry(false)}, comes too late to prevent the files and the first event. So
 * whoever starts the process must set the variable: Tagstream's launcher does, and so must the launcher of any program
 * that uses this library. If the variable is missing, loading the first model logs one warning.
 *
 * <p>Windows has no such variable, and no upload: events go to the system's event tracing. This library switches them
 * off with {@code setTelemetry(false)}.
 */
public final class Telemetry {
    /** The environment variable that stops the reports when it is {@code 1}. */
    public static final String VARIABLE = "ORT_DISABLE_TELEMETRY";

    private static final Set<String> STOPS_REPORTS = Set.of("1", "true", "yes");

    private Telemetry() {}

    /** Stops the reports of a process that has not started yet. */
    public static void disable(Map<String, String> environment) {
        environment.put(VARIABLE, "1");
    }

    /**
     * What to tell people if their ONNX Runtime reports; empty if it does not.
     *
     * @param environment the process's environment when it started
     * @param system the operating system, as {@code os.name} names it
     */
    public static Optional<String> warning(Map<String, String> environment, String system) {
        String value = environment.getOrDefault(VARIABLE, "");
        if (system.startsWith("Windows") || STOPS_REPORTS.contains(value.strip().toLowerCase(Locale.ROOT))) {
            return Optional.empty();
        }
        return Optional.of(
                ("ONNX Runtime sends telemetry to its maker: the environment variable %s is %s. Set it to 1 before the"
                                + " process starts; tagstream's launcher does so")
                        .formatted(VARIABLE, value.isEmpty() ? "not set" : "\"" + value + "\""));
    }
}
