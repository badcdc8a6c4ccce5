/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** A home directory in which ONNX Runtime must leave no files. */
public final class OtherHome {
    /**
     * ONNX Runtime also sends no reports if variables such as CI are set, and uses the directory in XDG_CACHE_HOME if
     * there is one. Neither may hide what users would get.
     */
    private static final Set<String> KEPT =
            Set.of("JAVA_HOME", "LC_ALL", "LD_LIBRARY_PATH", "PATH", Telemetry.VARIABLE);

    private OtherHome() {}

    /** Makes {@code home} the home directory of a process that has not started yet. */
    public static void use(Path home, Map<String, String> environment) {
        environment.keySet().retainAll(KEPT);
        environment.put("HOME", home.toString());
    }

    /** What ONNX Runtime left below a directory. */
    public static List<Path> leftByOnnxRuntime(Path home) throws IOException {
        try (Stream<Path> paths = Files.walk(home)) {
            return paths.map(home::relativize)
                    .filter(path -> path.toString().toLowerCase(Locale.ROOT).contains("onnxruntime"))
                    .toList();
        }
    }
}
