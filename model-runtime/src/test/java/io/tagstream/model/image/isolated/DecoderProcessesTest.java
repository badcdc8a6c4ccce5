/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.jna.Native;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.Telemetry;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.DecodeSandbox;
import io.tagstream.model.image.ImageDecoder;
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.OptionNames;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.model.image.Quarters;
import io.tagstream.model.image.isolated.MisbehavingMain.Trouble;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class DecoderProcessesTest {
    private static final long MAX_PIXELS = 100_000_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final byte[] GOOD = Quarters.png(40, 40);

    private static DecoderProcesses processes;

    private final ByteBuffer pixels = Quarters.target();

    @BeforeAll
    static void start() throws Exception {
        processes = misbehaving(1, testClasses());
    }

    @AfterAll
    static void close() {
        processes.close();
    }

    static DecoderProcesses misbehaving(int count, Path testClasses) {
        return new DecoderProcesses(options(count, TIMEOUT), MisbehavingMain.class, List.of(testClasses, jna()));
    }

    static byte[] image(Trouble trouble) {
        return Quarters.png(MisbehavingMain.WIDTH, trouble.height);
    }

    @Test
    void shouldDecodeAsInsideTheProcess() throws Exception {
        try (DecoderProcesses real = new DecoderProcesses(options(2, TIMEOUT))) {
            for (Map.Entry<String, byte[]> image : images().entrySet()) {
                assertThat(outcome(real::decode, image.getValue()))
                        .as(image.getKey())
                        .isEqualTo(outcome(inProcess()::decode, image.getValue()));
            }
        }
    }

    private static Map<String, byte[]> images() {
        Map<String, byte[]> images = new LinkedHashMap<>();
        for (String format : List.of("jpg", "png", "bmp", "gif", "tiff")) {
            byte[] image = Quarters.encode(Quarters.picture(700, 450, BufferedImage.TYPE_INT_RGB), format);
            images.put(format, image);
            images.put("truncated " + format, Arrays.copyOf(image, image.length / 2));
            byte[] damaged = image.clone();
            Arrays.fill(damaged, image.length / 3, image.length / 2, (byte) 0x55);
            images.put("damaged " + format, damaged);
        }
        for (String name :
                List.of("cmyk.jpg", "progressive.jpg", "turned.webp", "turned.png", "turned.tiff", "animated.webp")) {
            images.put(name, Quarters.resource(name));
        }
        images.put("nothing", new byte[0]);
        images.put("text", "just words".getBytes(StandardCharsets.US_ASCII));
        images.put("large", Quarters.jpeg(3000, 2000));
        return images;
    }

    private interface Decoding {
        ImageSize decode(byte[] encoded, ByteBuffer target) throws ImageException, InterruptedException;
    }

    private static List<Object> outcome(Decoding decoding, byte[] image) throws InterruptedException {
        ByteBuffer target = Quarters.target();
        try {
            ImageSize size = decoding.decode(image, target);
            return List.of(size, target);
        } catch (ImageException e) {
            return List.of(e.reason(), e.getMessage());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "KILLED, signal 9",
        "SEGMENTATION_FAULT, exit code 1: SIGSEGV (0xb)",
        "EXIT, exit code 7",
        "OUT_OF_MEMORY, exit code 3",
        "NONSENSE, it said 68656c6c instead of an answer",
        "HALF_AN_ANSWER, exit code 0"
    })
    void shouldFailTheImageThatItsProcessDiesOnAndGoOn(Trouble trouble, String how) throws Exception {
        assertThat(processes.decode(GOOD, pixels)).isEqualTo(new ImageSize(40, 40));
        long before = onlyChild().pid();

        assertThatThrownBy(() -> processes.decode(image(trouble), pixels))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.CORRUPT_IMAGE))
                .hasMessageStartingWith("the PNG does not decode: the decoder process failed on it (" + how);

        assertThat(processes.decode(GOOD, pixels)).isEqualTo(new ImageSize(40, 40));
        assertThat(onlyChild().pid()).isNotEqualTo(before);
    }

    @Test
    void shouldFailTheImageThatMeetsABugAndKeepTheProcess() throws Exception {
        processes.decode(GOOD, pixels);
        long before = onlyChild().pid();

        assertThatThrownBy(() -> processes.decode(image(Trouble.EXCEPTION), pixels))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.MODEL_ERROR))
                .hasMessageContaining("a bug in decoding");

        processes.decode(GOOD, pixels);
        assertThat(onlyChild().pid()).isEqualTo(before);
    }

    @Test
    void shouldEndAProcessThatHangs() throws Exception {
        Duration timeout = Duration.ofSeconds(3);
        try (DecoderProcesses impatient =
                new DecoderProcesses(options(1, timeout), MisbehavingMain.class, List.of(testClasses(), jna()))) {
            assertThatThrownBy(() -> impatient.decode(image(Trouble.HANG), pixels))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.CORRUPT_IMAGE))
                    .hasMessageContainingAll("not decoded within 3000 ms", "raise decodeTimeout");
            assertThat(impatient.decode(GOOD, pixels)).isEqualTo(new ImageSize(40, 40));
        }
    }

    @Test
    void shouldFailTheImageWhoseProcessIsKilled() throws Exception {
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try {
            Future<?> decoding = threads.submit(() -> processes.decode(image(Trouble.HANG), Quarters.target()));
            // a process that is killed before it gets the image is just replaced, so the next one is killed too
            await().until(() -> {
                children().forEach(ProcessHandle::destroyForcibly);
                return decoding.isDone();
            });
            assertThatThrownBy(decoding::get)
                    .cause()
                    .isInstanceOfSatisfying(
                            ImageException.class,
                            e -> assertThat(e.reason()).isIn(FailureReason.CORRUPT_IMAGE, FailureReason.MODEL_ERROR))
                    .hasMessageContaining("decoder process");
            assertThat(processes.decode(GOOD, pixels)).isEqualTo(new ImageSize(40, 40));
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void shouldIgnoreSignalsThatAreMeantForTheParent() throws Exception {
        processes.decode(GOOD, pixels);
        long before = onlyChild().pid();
        assertThat(onlyChild().destroy()).isTrue();
        for (int i = 0; i < 5000; i++) {
            processes.decode(GOOD, pixels);
        }
        assertThat(onlyChild().pid()).isEqualTo(before);
    }

    @Test
    void shouldRefuseByTheHeaderAloneWhatIsTooLarge() throws Exception {
        processes.decode(GOOD, pixels);
        onlyChild().destroyForcibly();
        await().until(() -> children().isEmpty());
        DecoderProcesses.Options small = new DecoderProcesses.Options(
                1,
                Quarters.SIZE,
                Resize.SQUASH,
                1000,
                1 << 20,
                TIMEOUT,
                Set.of(ImageFormat.PNG),
                DecodeSandbox.AUTO,
                names());
        try (DecoderProcesses strict = new DecoderProcesses(small)) {
            children().forEach(ProcessHandle::destroyForcibly);
            await().until(() -> children().isEmpty());
            assertThatThrownBy(() -> strict.decode(GOOD, pixels))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.TOO_MANY_PIXELS));
            assertThat(children()).isEmpty();
        }
    }

    @Test
    void shouldEndEverythingWhenClosed() throws Exception {
        DecoderProcesses closing = misbehaving(2, testClasses());
        List<ProcessHandle> handles = children();
        assertThat(handles).hasSizeGreaterThanOrEqualTo(2);
        CompletableFuture<ImageSize> decoding = CompletableFuture.supplyAsync(() -> {
            try {
                return closing.decode(image(Trouble.HANG), Quarters.target());
            } catch (ImageException e) {
                throw new IllegalStateException(e.reason().name(), e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Path directory = closing.directory();
        assertThat(directory).isDirectory();

        closing.close();

        assertThatThrownBy(() -> decoding.get(30, TimeUnit.SECONDS)).hasMessageContaining("MODEL_ERROR");
        assertThatThrownBy(() -> closing.decode(GOOD, pixels))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("closed");
        assertThat(directory).doesNotExist();
        await().until(() -> children().size() <= 1);
    }

    @Test
    void shouldEndWithItsParent() throws Exception {
        Process parent = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        AbandoningMain.class.getName(),
                        testClasses().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader reader = parent.inputReader()) {
            String line = reader.readLine();
            while (line != null && !line.isEmpty()) {
                lines.add(line);
                line = reader.readLine();
            }
        } finally {
            parent.destroyForcibly();
        }
        assertThat(lines).hasSize(3);
        Path directory = Path.of(lines.get(0));
        await().atMost(Duration.ofSeconds(60))
                .until(() -> lines.stream()
                        .skip(1)
                        .noneMatch(pid -> ProcessHandle.of(Long.parseLong(pid))
                                .filter(ProcessHandle::isAlive)
                                .isPresent()));
        // if they are sealed, they cannot delete the directory
        SharedDirectory.create().close();
        assertThat(directory).doesNotExist();
    }

    @Test
    void shouldSayWhyAProcessDoesNotStart() {
        assertThatThrownBy(() -> new DecoderProcesses(
                        options(1, TIMEOUT), DecoderProcessesTest.class, List.of(Path.of("no classes here"))))
                .isInstanceOf(DecoderStartException.class)
                .hasMessageContainingAll("a decoder process does not start", "exit code 1", "DecoderProcessesTest");
    }

    @Test
    void shouldGiveTheChildNothingButItsTask() throws Exception {
        try (SharedDirectory directory = SharedDirectory.create()) {
            ProcessBuilder builder = new DecoderCommand(
                            DecoderMain.class, List.of(), Quarters.SIZE, Resize.SQUASH, MAX_PIXELS, 1 << 20, true)
                    .builder(directory);
            assertThat(System.getenv()).containsKey("PATH");
            assertThat(builder.environment())
                    .doesNotContainKeys("PATH", "HOME", "JAVA_TOOL_OPTIONS")
                    .containsEntry(Telemetry.VARIABLE, "1");
            String classPath = builder.command().get(builder.command().indexOf("-cp") + 1);
            assertThat(Stream.of(classPath.split(System.getProperty("path.separator"))))
                    .hasSize(3)
                    .allMatch(entry -> entry.matches(".*/((classes|tagstream-model-runtime|opencv|jna)-[^/]*\\.jar)"));
        }
    }

    private static DecoderProcesses.Options options(int count, Duration timeout) {
        return new DecoderProcesses.Options(
                count,
                Quarters.SIZE,
                Resize.SHORTEST_SIDE_CENTER_CROP,
                MAX_PIXELS,
                32 << 20,
                timeout,
                Set.of(ImageFormat.values()),
                DecodeSandbox.AUTO,
                names());
    }

    private static ImageDecoder inProcess() {
        return new ImageDecoder(Quarters.SIZE, Resize.SHORTEST_SIDE_CENTER_CROP, new PixelBudget(MAX_PIXELS, names()));
    }

    private static OptionNames names() {
        return OptionNames.OF_THE_LIBRARY;
    }

    private static Path testClasses() {
        return Children.location(MisbehavingMain.class);
    }

    private static Path jna() {
        return Children.location(Native.class);
    }

    private static ProcessHandle onlyChild() {
        List<ProcessHandle> children = children();
        assertThat(children).hasSize(1);
        return children.get(0);
    }

    private static List<ProcessHandle> children() {
        return ProcessHandle.current().children().filter(ProcessHandle::isAlive).toList();
    }
}
