/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.tagstream.avro.ImageReference;
import io.tagstream.cluster.OperatorException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageListTest {
    private static final Path SAMPLES = Path.of("../samples");
    private static final String HASH = "0123456789abcdef".repeat(4);

    private final List<String> complaints = new ArrayList<>();
    private final ImageList list = new ImageList(complaints::add);

    @TempDir
    Path directory;

    @Test
    void shouldTakeEveryLineOfATextFile() throws IOException {
        Path image = Files.write(directory.resolve("a b.jpg"), new byte[] {(byte) 0xff, (byte) 0xd8, 0, 1});
        Path lines =
                file("urls.txt", "\ufeff# two images", "", "https://example.org/1.jpg?a=1,2#x  ", image.toString());

        list.add(lines.toString());

        assertThat(list.images().keySet())
                .containsExactly(
                        "https://example.org/1.jpg?a=1,2#x", image.toUri().toString());
        assertThat(complaints).isEmpty();
    }

    @Test
    void shouldTellEverySampleFromAList() throws IOException {
        try (Stream<Path> files = Files.walk(SAMPLES)) {
            List<Path> photos =
                    files.filter(file -> file.toString().endsWith(".jpg")).toList();
            photos.forEach(photo -> list.add(photo.toString()));
            assertThat(list.images()).hasSameSizeAs(photos).hasSizeGreaterThan(10);
        }
    }

    @Test
    void shouldTellTheBeginningOfEveryFormatFromAList() throws IOException {
        Map<String, int[]> beginnings = Map.of(
                "gif", new int[] {'G', 'I', 'F', '8', '9', 'a', 32, 1, 32, 1, 0xf7, 0, 0},
                "bmp", new int[] {'B', 'M', 0x36, 0x10, 0x20, 0, 0, 0, 0, 0},
                "webp", new int[] {'R', 'I', 'F', 'F', 0x40, 0x50, 0x20, 0, 'W', 'E', 'B', 'P', 'V', 'P', '8', ' '},
                "tif", new int[] {'I', 'I', '*', 0, 8, 0, 0, 0},
                "png", new int[] {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
        for (Map.Entry<String, int[]> format : beginnings.entrySet()) {
            byte[] bytes = new byte[format.getValue().length];
            IntStream.range(0, bytes.length).forEach(i -> bytes[i] = (byte) format.getValue()[i]);
            Path image = Files.write(directory.resolve("x." + format.getKey()), bytes);
            list.add(image.toString());
            assertThat(list.images()).containsKey(image.toUri().toString());
        }
        assertThat(list.images()).hasSize(beginnings.size());
    }

    @Test
    void shouldNameWrongLinesAndTakeTheOthers() throws IOException {
        Path lines = file("urls.txt", "https://example.org/1.jpg", "# no", "nowhere.jpg", "https://example.org/2.jpg");

        list.add(lines.toString());

        assertThat(list.images()).containsOnlyKeys("https://example.org/1.jpg", "https://example.org/2.jpg");
        assertThat(list.wrongLines()).isEqualTo(1);
        assertThat(complaints).containsExactly(lines + ", line 3: nowhere.jpg is neither a URI nor an existing file");
    }

    @Test
    void shouldReadIdsAndAttributesFromCommaSeparatedValues() {
        read(
                "# exported today",
                "Id,URI,album,sha256,contentType",
                "photo-1,https://example.org/1.jpg,\"birds, large\"," + HASH.toUpperCase(Locale.ROOT) + ",image/jpeg",
                ",https://example.org/2.jpg,,,");

        assertThat(complaints).isEmpty();
        ImageReference one = list.images().get("photo-1");
        assertThat(one.getUri()).isEqualTo("https://example.org/1.jpg");
        assertThat(one.getAttributes()).containsExactly(Map.entry("album", "birds, large"));
        assertThat(one.getSha256()).isEqualTo(HASH);
        assertThat(one.getContentType()).isEqualTo("image/jpeg");
        ImageReference two = list.images().get("https://example.org/2.jpg");
        assertThat(two.getAttributes()).isEmpty();
        assertThat(two.getSha256()).isNull();
        assertThat(two.getContentType()).isNull();
    }

    @Test
    void shouldNameWrongRows() {
        read(
                "uri,id,sha256",
                "https://example.org/1.jpg,one",
                "https://example.org/2.jpg,two,",
                "\"https://example.org/3.jpg,three,",
                ",four,",
                "https://example.org/5.jpg,five,abc",
                "https://example.org/6.jpg,two,",
                "https://example.org/7.jpg,seven,");

        assertThat(list.images()).containsOnlyKeys("two", "seven");
        assertThat(list.wrongLines()).isEqualTo(5);
        assertComplaints(
                "list, line 2: 2 values, but the header has 3 columns; a value may be empty",
                "list, line 4: a double quote is not closed",
                "list, line 5: uri is missing",
                "list, line 6: sha256 is abc, but",
                "list, line 7: the id \"two\" was given to another image (list, line 3)");
    }

    @Test
    void shouldRefuseAWrongHeader() {
        assertRefused("list, line 1: the header id,url has no column uri", "id,url", "1,https://example.org/1.jpg");
        assertRefused("list, line 2: the column id appears twice", "", "uri,id,ID", "x,y,z");
        assertRefused("list, line 1: a column has no name", "uri,,id");
        assertThat(list.images()).isEmpty();
    }

    @Test
    void shouldReadIdsAndAttributesFromJsonLines() {
        read(
                "",
                "{\"uri\": \"https://example.org/1.jpg\", \"id\": \"photo-1\","
                        + " \"attributes\": {\"album\": \"birds\", \"year\": 2026, \"none\": null}}",
                "{\"uri\": \"https://example.org/2.jpg\", \"id\": null}");

        assertThat(complaints).isEmpty();
        assertThat(list.images()).containsOnlyKeys("photo-1", "https://example.org/2.jpg");
        assertThat(list.images().get("photo-1").getAttributes())
                .containsOnly(Map.entry("album", "birds"), Map.entry("year", "2026"));
    }

    @Test
    void shouldNameWrongObjects() {
        read(
                "{\"uri\": \"https://example.org/1.jpg\"}",
                "{\"uri\": \"https://example.org/2.jpg\"",
                "{\"url\": \"https://example.org/3.jpg\"}",
                "{\"uri\": \"https://example.org/4.jpg\", \"attributes\": {\"album\": [1]}}",
                "[\"https://example.org/5.jpg\"]",
                "{\"uri\": \"https://example.org/6.jpg\"}");

        assertThat(list.images()).containsOnlyKeys("https://example.org/1.jpg", "https://example.org/6.jpg");
        assertComplaints(
                "list, line 2: not JSON: Unexpected end-of-input",
                "list, line 3: unknown name \"url\"; the known ones are uri, id, contentType, sha256 and attributes",
                "list, line 4: album must be text, not [1]",
                "list, line 5: not a JSON object");
    }

    @Test
    void shouldTakeTheSameImageTwiceAsOne() {
        read("https://example.org/1.jpg", "https://example.org/1.jpg");

        assertThat(list.images()).hasSize(1);
        assertThat(list.wrongLines()).isZero();
    }

    @Test
    void shouldReportTheFirstWrongLinesOfManyAndCountTheRest() {
        read(IntStream.range(0, 25).mapToObj(i -> "nowhere-" + i).toArray(String[]::new));

        assertThat(list.wrongLines()).isEqualTo(25);
        assertThat(complaints).hasSize(21).last().isEqualTo("list: 5 more lines name no image");
    }

    @Test
    void shouldSayWhyAFileIsNoList() throws IOException {
        Path latin =
                Files.write(directory.resolve("latin.txt"), new byte[] {'k', (byte) 0xe4, '.', 'j', 'p', 'g', '\n'});
        list.add(latin.toString());
        assertComplaints(latin + ", line 1: not UTF-8 text");

        Path wide = Files.write(directory.resolve("wide.txt"), "https://x".getBytes(StandardCharsets.UTF_16));
        assertInvalid(wide + " is UTF-16 text", wide.toString());
        Path empty = Files.createFile(directory.resolve("empty.txt"));
        assertInvalid(empty + " is empty", empty.toString());
        assertInvalid(directory + " is a folder; give its images", directory.toString());
        assertInvalid("nowhere is neither a URI nor an existing file", "nowhere");
    }

    private Path file(String name, String... lines) throws IOException {
        return Files.write(directory.resolve(name), List.of(lines));
    }

    private void read(String... lines) {
        String text = Stream.of(lines).collect(Collectors.joining("\n"));
        list.addLines(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "list");
    }

    private void assertComplaints(String... beginnings) {
        assertThat(complaints).hasSameSizeAs(beginnings);
        for (int i = 0; i < beginnings.length; i++) {
            assertThat(complaints.get(i)).startsWith(beginnings[i]);
        }
    }

    private void assertRefused(String beginning, String... lines) {
        assertThatExceptionOfType(OperatorException.class)
                .isThrownBy(() -> read(lines))
                .withMessageStartingWith(beginning)
                .satisfies(refused -> assertThat(refused.kind()).isEqualTo(OperatorException.Kind.INVALID));
    }

    private void assertInvalid(String beginning, String argument) {
        assertThatExceptionOfType(OperatorException.class)
                .isThrownBy(() -> list.add(argument))
                .withMessageStartingWith(beginning)
                .satisfies(refused -> assertThat(refused.kind()).isEqualTo(OperatorException.Kind.INVALID));
    }
}
