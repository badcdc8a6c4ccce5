/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParser;

/** A folder of contracts that refer to each other across files. */
final class Contracts {
    private static final Path TODAY = Path.of("src/main/avro");
    private static final Path RELEASED = Path.of("src/test/resources/released");

    private Contracts() {}

    static Map<String, Schema> today() {
        return read(TODAY);
    }

    /** Every released version. */
    static List<String> releases() {
        try (Stream<Path> folders = Files.list(RELEASED)) {
            return folders.filter(Files::isDirectory)
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException exception) {
            throw new UncheckedIOException(exception);
        }
    }

    static Map<String, Schema> released(String version) {
        return read(RELEASED.resolve(version));
    }

    /** All named schemas of a folder, by full name. */
    private static Map<String, Schema> read(Path folder) {
        SchemaParser parser = new SchemaParser();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".avsc")).toList()) {
                parser.parse(file);
            }
        } catch (IOException exception) {
            throw new UncheckedIOException(exception);
        }
        return parser.getParsedNamedSchemas().stream()
                .collect(Collectors.toMap(Schema::getFullName, Function.identity()));
    }
}
