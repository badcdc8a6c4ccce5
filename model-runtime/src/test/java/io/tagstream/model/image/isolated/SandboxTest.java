/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Native;
import io.tagstream.model.ImageException;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.DecodeSandbox;
import io.tagstream.model.image.Decoder;
import io.tagstream.model.image.HostileImages;
import io.tagstream.model.image.ImageDecoder;
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.ImageSize;
import io.tagstream.model.image.OptionNames;
import io.tagstream.model.image.PixelBudget;
import io.tagstream.model.image.Quarters;
import io.tagstream.model.image.Sandbox;
import io.tagstream.model.image.isolated.HostileMain.Attempt;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What code in a decoder process can do, with the sandbox and without. */
@EnabledOnOs(OS.LINUX)
@Timeout(300)
class SandboxTest {
    private static final long MAX_PIXELS = 20_000_000;
    private static final String NOT_PERMITTED = ".*(Operation not permitted|error=1,|errno was 1\\b|\\[1\\]).*";

    @TempDir
    static Path folder;

    private static ServerSocket server;
    private static DecoderProcesses sealed;
    private static DecoderProcesses open;

    private final ByteBuffer pixels = Quarters.target();

    @BeforeAll
    static void start() throws Exception {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        sealed = processes(DecodeSandbox.REQUIRED, HostileMain.class);
        open = processes(DecodeSandbox.OFF, HostileMain.class);
    }

    @AfterAll
    static void stop() throws Exception {
        sealed.close();
        open.close();
        server.close();
    }

    private static long pid(DecoderProcesses processes) {
        return processes.pids().get(0);
    }

    private static DecoderProcesses processes(DecodeSandbox sandbox, Class<?> mainClass) {
        return new DecoderProcesses(
                new DecoderProcesses.Options(
                        1,
                        Quarters.SIZE,
                        Resize.SHORTEST_SIDE_CENTER_CROP,
                        MAX_PIXELS,
                        32 << 20,
                        Duration.ofSeconds(60),
                        Set.of(ImageFormat.values()),
                        sandbox,
                        OptionNames.OF_THE_LIBRARY),
                mainClass,
                List.of(Children.location(HostileMain.class), Children.location(Native.class)));
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepHostileCodeFrom(Attempt attempt) throws Exception {
        assertThat(outcome(open, attempt)).as("without the sandbox").isEqualTo("done");

        String outcome = outcome(sealed, attempt);

        if (attempt == Attempt.ALLOCATE_A_GIBIBYTE) {
            assertThat(outcome).startsWith("failed: java.lang.OutOfMemoryError");
        } else {
            assertThat(outcome).startsWith("failed: ").matches(NOT_PERMITTED);
        }
        assertThat(sealed.decode(Quarters.png(40, 30), pixels)).isEqualTo(new ImageSize(40, 30));
    }

    private String outcome(DecoderProcesses processes, Attempt attempt) throws IOException, InterruptedException {
        Path file = Files.writeString(folder.resolve("secret"), "the user's");
        Object argument = switch (attempt) {
            case READ_A_FILE, DELETE_A_FILE -> file;
            case WRITE_A_FILE -> folder.resolve("new");
            case LIST_A_DIRECTORY -> folder;
            case CONNECT -> server.getLocalPort();
            case RUN_A_PROGRAM -> "/bin/true";
            case SIGNAL_A_PROCESS, READ_THE_ENVIRONMENT_OF_A_PROCESS ->
                ProcessHandle.current().pid();
            case LISTEN,
                    FORK,
                    TRACE_A_PROCESS,
                    READ_MEMORY_OF_A_PROCESS,
                    MAKE_A_FILE_IN_MEMORY,
                    OPEN_ANOTHER_DESCRIPTOR,
                    RAISE_A_LIMIT,
                    ALLOCATE_A_GIBIBYTE -> "";
        };
        try {
            processes.decode(HostileMain.image(attempt, argument), pixels);
            throw new AssertionError("an image that asks for something decodes");
        } catch (ImageException e) {
            return e.getMessage();
        }
    }

    @Test
    void shouldDecodeEverythingAsWithoutASandbox() throws Exception {
        long before = pid(sealed);
        Decoder inside = new ImageDecoder(
                Quarters.SIZE,
                Resize.SHORTEST_SIDE_CENTER_CROP,
                new PixelBudget(MAX_PIXELS, OptionNames.OF_THE_LIBRARY));
        int number = 0;
        for (byte[] image : images().toList()) {
            assertThat(outcome(sealed, image)).as("image %d", number).isEqualTo(outcome(inside, image));
            number++;
        }
        assertThat(number).isGreaterThan(150);
        assertThat(pid(sealed)).as("the process that none of them ended").isEqualTo(before);
    }

    /** Hostile ones, and pictures of all kinds that Java draws and that the formats know. */
    private static Stream<byte[]> images() throws IOException {
        List<byte[]> plain = new ArrayList<>();
        for (int type = BufferedImage.TYPE_INT_RGB; type <= BufferedImage.TYPE_BYTE_INDEXED; type++) {
            BufferedImage picture = Quarters.picture(70, 50, type);
            for (String format : List.of("png", "gif", "bmp", "tiff")) {
                encode(picture, format).ifPresent(plain::add);
            }
        }
        return Stream.concat(plain.stream(), HostileImages.files());
    }

    /** Empty if Java does not write such pictures in that format. */
    private static Optional<byte[]> encode(BufferedImage picture, String format) throws IOException {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        return ImageIO.write(picture, format, encoded) ? Optional.of(encoded.toByteArray()) : Optional.empty();
    }

    private static List<Object> outcome(Decoder decoder, byte[] image) throws InterruptedException {
        ByteBuffer target = Quarters.target();
        try {
            return List.of(decoder.decode(image, target), target);
        } catch (ImageException e) {
            return List.of(e.reason(), e.getMessage());
        }
    }

    @Test
    void shouldStaySealedHoweverManyImagesItDecodes() throws Exception {
        long before = pid(sealed);
        for (int i = 0; i < 1000; i++) {
            assertThat(sealed.decode(Quarters.png(40, 30 + i % 7), pixels)).isEqualTo(new ImageSize(40, 30 + i % 7));
        }
        assertThat(pid(sealed)).isEqualTo(before);
        for (Path thread : threads(before)) {
            assertThat(Files.readAllLines(thread.resolve("status")))
                    .as("the thread %s", thread)
                    .contains("Seccomp:\t2", "NoNewPrivs:\t1");
        }
    }

    private static List<Path> threads(long pid) throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            return threads.toList();
        }
    }

    @Test
    void shouldInheritNothingButItsThreePipes() throws Exception {
        try (DecoderProcesses real = processes(DecodeSandbox.REQUIRED, DecoderMain.class);
                Stream<Path> descriptors = Files.list(Path.of("/proc", Long.toString(pid(real)), "fd"))) {
            for (Path descriptor : descriptors.toList()) {
                String target = Files.readSymbolicLink(descriptor).toString();
                if (Integer.parseInt(descriptor.getFileName().toString()) <= 2) {
                    assertThat(target).startsWith("pipe:");
                } else {
                    assertThat(target).doesNotStartWith("pipe:").doesNotStartWith(folder.toString());
                }
            }
        }
    }

    @Test
    void shouldSayWhatIsInForce() {
        assertThat(sealed.sandbox().inForce()).isTrue();
        assertThat(sealed.sandbox().text()).contains("seccomp", "memory is limited to");
        assertThat(open.sandbox()).isEqualTo(new Sandbox(false, "it is off"));
    }

    @Test
    void shouldNotStartWithoutASandboxThatIsRequired() {
        assertThatThrownBy(() -> processes(DecodeSandbox.REQUIRED, UnsealableMain.class))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("it cannot be sandboxed: there is none for z80");
    }

    @Test
    void shouldSayThatThereIsNoSandboxAndDecode() throws Exception {
        try (DecoderProcesses unsealed = processes(DecodeSandbox.AUTO, UnsealableMain.class)) {
            assertThat(unsealed.sandbox()).isEqualTo(new Sandbox(false, "there is none for z80"));
            assertThat(unsealed.decode(Quarters.png(40, 30), pixels)).isEqualTo(new ImageSize(40, 30));
        }
    }
}
