/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tagstream.model.ImageException;
import io.tagstream.model.bundle.BundleDescription.Resize;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Any bytes either decode or give an {@link ImageException}. Without JAZZER_FUZZ this runs only over the corpus: the
 * images of {@link HostileImages}, plain ones, and what fuzzing has found, in {@code ImageFuzzTestInputs}.
 */
class ImageFuzzTest {
    private static final long MAX_PIXELS = 1_000_000;
    private static final int LARGEST_SEED = 100_000;

    private static final ImageDecoder DECODER = new ImageDecoder(
            Quarters.SIZE, Resize.SHORTEST_SIDE_CENTER_CROP, new PixelBudget(MAX_PIXELS, OptionNames.OF_THE_LIBRARY));
    private static final ByteBuffer PIXELS = Quarters.target();

    /**
     * OpenCV's libraries print a line for every damaged image, thousands a second, which would hide what a long run
     * says.
     */
    @BeforeAll
    static void silenceNativeCode() throws IOException {
        if (System.getenv("JAZZER_FUZZ") != null && System.getenv("JAZZER_MAX_DURATION") == null) {
            new FileOutputStream(FileDescriptor.err).close();
        }
    }

    static Stream<byte[]> corpus() {
        return HostileImages.files().filter(file -> file.length <= LARGEST_SEED);
    }

    @MethodSource("corpus")
    @FuzzTest(maxDuration = "15s")
    void shouldDecodeOrRefuse(byte[] file) throws InterruptedException {
        try {
            ImageSize size = DECODER.decode(file, PIXELS);
            assertThat((long) size.width() * size.height()).isBetween(1L, MAX_PIXELS);
        } catch (ImageException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }
}
