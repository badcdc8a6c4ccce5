/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.vocabulary;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.LabelText;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.DuplicateHeaderMode;
import org.apache.commons.io.input.BOMInputStream;

/**
 * Reads a vocabulary from comma-separated values (RFC 4180, UTF-8) with a header.
 *
 * <p>The columns are {@code id} and {@code name}, and optionally {@code prompts} (separated by {@code |}),
 * {@code threshold} (a score in [0, 1]) and {@code state} ({@code ACTIVE} or {@code SHADOW}), in any order. Values that a
 * spreadsheet would take as formulas are written as {@link SpreadsheetText}. An error message names the line and the
 * value.
 */
public final class VocabularyCsv {
    private static final String ID = "id";
    private static final String NAME = "name";
    private static final String PROMPTS = "prompts";
    private static final String THRESHOLD = "threshold";
    private static final String STATE = "state";
    private static final List<String> COLUMNS = List.of(ID, NAME, PROMPTS, THRESHOLD, STATE);

    private static final CSVFormat FORMAT = CSVFormat.RFC4180
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .setIgnoreEmptyLines(true)
            .setIgnoreHeaderCase(true)
            .setTrim(true)
            .setIgnoreSurroundingSpaces(true)
            .setDuplicateHeaderMode(DuplicateHeaderMode.DISALLOW)
            .get();

    private static final CSVFormat WRITTEN = CSVFormat.RFC4180
            .builder()
            .setHeader(COLUMNS.toArray(String[]::new))
            .setRecordSeparator('\n')
            .get();

    private VocabularyCsv() {}

    /**
     * Returns the labels of a file by their ids, in the file's order.
     *
     * @throws OperatorException of kind INVALID, if the file is not a vocabulary
     */
    public static Map<String, Label> read(Path file) {
        try (InputStream bytes = Files.newInputStream(file)) {
            return read(bytes, file.toString());
        } catch (NoSuchFileException e) {
            throw OperatorException.invalid("vocabulary " + file + " does not exist; give the path of a CSV file", e);
        } catch (IOException e) {
            throw OperatorException.invalid("vocabulary " + file + " cannot be read: " + e, e);
        }
    }

    /**
     * Returns the labels of a stream by their ids, in the stream's order.
     *
     * @param origin the name of the stream in messages
     * @throws OperatorException of kind INVALID, if the stream is not a vocabulary
     */
    public static Map<String, Label> read(InputStream bytes, String origin) {
        try (Reader reader = new InputStreamReader(
                        BOMInputStream.builder().setInputStream(bytes).get(), StandardCharsets.UTF_8.newDecoder());
                CSVParser parser = FORMAT.parse(reader)) {
            requireColumns(parser.getHeaderNames(), origin);
            return labels(parser, origin);
        } catch (CharacterCodingException e) {
            throw OperatorException.invalid(origin + " is not UTF-8 text; save it in that encoding", e);
        } catch (IllegalArgumentException e) {
            // Commons CSV's only complaint about a header
            throw OperatorException.invalid(
                    origin + ", line 1: a column appears twice or has no name; the first line must be a header such as"
                            + " id,name,threshold, with each column once",
                    e);
        } catch (IOException e) {
            throw OperatorException.invalid(origin + " is not a CSV file: " + e.getMessage(), e);
        }
    }

    /** Returns the text of a file that {@link #read} would read as these labels. */
    public static String write(Map<String, Label> labels) {
        StringWriter text = new StringWriter();
        try (CSVPrinter printer = new CSVPrinter(text, WRITTEN)) {
            for (Map.Entry<String, Label> entry : labels.entrySet()) {
                Label label = entry.getValue();
                printer.printRecord(
                        SpreadsheetText.write(entry.getKey()),
                        SpreadsheetText.write(label.getName()),
                        SpreadsheetText.write(String.join("|", label.getPrompts())),
                        label.getThreshold(),
                        label.getState() == LabelState.ACTIVE ? null : label.getState());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a StringWriter does not fail
        }
        return text.toString();
    }

    private static void requireColumns(List<String> header, String origin) {
        Set<String> given =
                header.stream().map(column -> column.toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
        for (String column : List.of(ID, NAME)) {
            if (!given.contains(column)) {
                throw OperatorException.invalid(
                        ("%s, line 1: the column %s is missing; the header is \"%s\", but it needs the columns id and"
                                        + " name, separated by commas (prompts, threshold and state are optional)")
                                .formatted(origin, column, String.join(",", header)));
            }
        }
        for (String column : header) {
            if (!COLUMNS.contains(column.toLowerCase(Locale.ROOT))) {
                throw OperatorException.invalid("%s, line 1: unknown column \"%s\"; the known columns are %s"
                        .formatted(origin, column, String.join(", ", COLUMNS)));
            }
        }
    }

    private static Map<String, Label> labels(CSVParser parser, String origin) throws IOException {
        Map<String, Label> labels = new LinkedHashMap<>();
        Map<String, Long> lines = new HashMap<>();
        try {
            for (CSVRecord row : parser) {
                long line = parser.getCurrentLineNumber() - lineBreaks(row);
                String at = origin + ", line " + line;
                if (!row.isConsistent()) {
                    throw OperatorException.invalid("%s: %d values, but the header has %d columns; %s"
                            .formatted(
                                    at,
                                    row.size(),
                                    parser.getHeaderNames().size(),
                                    row.size() > parser.getHeaderNames().size()
                                            ? "put values that contain a comma in double quotes"
                                            : "a value may be empty, but its comma is needed"));
                }
                String id = SpreadsheetText.read(row.get(ID));
                if (id.isEmpty()) {
                    throw OperatorException.invalid(at + ": the id is empty; give every label its own id");
                }
                Long earlier = lines.put(id, line);
                if (earlier != null) {
                    throw OperatorException.invalid("%s: the id \"%s\" is also on line %d; give every label its own id"
                            .formatted(at, id, earlier));
                }
                labels.put(id, label(row, id, at));
            }
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CharacterCodingException || !(e.getCause() instanceof CSVException)) {
                throw e.getCause();
            }
            throw OperatorException.invalid(
                    ("%s, line %d: a double quote is not closed, or is inside a value, where it must be written twice"
                                    + " (%s)")
                            .formatted(
                                    origin,
                                    parser.getCurrentLineNumber(),
                                    e.getCause().getMessage()),
                    e);
        }
        if (labels.isEmpty()) {
            throw OperatorException.invalid(origin + " has no labels; add at least one line below the header");
        }
        return labels;
    }

    private static long lineBreaks(CSVRecord row) {
        return row.stream().flatMapToInt(String::chars).filter(c -> c == '\n').count();
    }

    private static Label label(CSVRecord row, String id, String at) {
        String name = SpreadsheetText.read(row.get(NAME));
        if (LabelText.showsNothing(name)) {
            throw OperatorException.invalid(
                    "%s: the name of label \"%s\" is empty; give it the text that people see in tags"
                            .formatted(at, id));
        }
        return Label.newBuilder()
                .setName(name)
                .setPrompts(prompts(SpreadsheetText.read(optional(row, PROMPTS))))
                .setThreshold(threshold(optional(row, THRESHOLD), at))
                .setState(state(optional(row, STATE), at))
                .build();
    }

    private static List<String> prompts(String value) {
        return Arrays.stream(value.split("\\|"))
                .map(String::strip)
                .filter(p -> !p.isEmpty())
                .toList();
    }

    private static Double threshold(String value, String at) {
        if (value.isEmpty()) {
            return null;
        }
        try {
            double threshold = Double.parseDouble(value);
            if (threshold >= 0 && threshold <= 1) {
                return threshold;
            }
        } catch (NumberFormatException e) {
            throw OperatorException.invalid(badThreshold(value, at), e);
        }
        throw OperatorException.invalid(badThreshold(value, at));
    }

    private static String badThreshold(String value, String at) {
        return "%s: the threshold \"%s\" is not a score; give a number from 0 to 1, or leave it empty"
                .formatted(at, value);
    }

    private static LabelState state(String value, String at) {
        if (value.isEmpty()) {
            return LabelState.ACTIVE;
        }
        try {
            return LabelState.valueOf(value.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw OperatorException.invalid(
                    "%s: unknown state \"%s\"; give ACTIVE or SHADOW, or leave it empty".formatted(at, value), e);
        }
    }

    private static String optional(CSVRecord row, String column) {
        return row.isMapped(column) ? row.get(column) : "";
    }
}
