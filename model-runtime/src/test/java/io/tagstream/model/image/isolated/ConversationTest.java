/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.ImageSize;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConversationTest {
    private static final int PIXELS = 200_000;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final Conversation speaker = new Conversation(InputStream.nullInputStream(), said);
    private final ByteBuffer pixels = ByteBuffer.allocateDirect(PIXELS);

    @Test
    void shouldCarryImagesOfAnySize() throws Exception {
        for (int length : new int[] {0, 1, 65_536, 300_001}) {
            said.reset();
            byte[] image = noise(length);
            speaker.send(image);
            assertThat(listener().receive()).contains(image);
        }
    }

    @Test
    void shouldCarryPixels() throws Exception {
        byte[] noise = noise(PIXELS);
        speaker.answer(new ImageSize(3, 4), ByteBuffer.wrap(noise));
        assertThat(listener().awaitAnswer(pixels)).isEqualTo(new ImageSize(3, 4));
        assertThat(pixels).isEqualTo(ByteBuffer.wrap(noise));
    }

    @Test
    void shouldCarryFailuresWithoutControlCharactersOrLength() throws Exception {
        speaker.answer(new ImageException(FailureReason.CORRUPT_IMAGE, "two\nlines\r\u001b[31m" + "x".repeat(100_000)));
        assertThatThrownBy(() -> listener().awaitAnswer(pixels))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(FailureReason.CORRUPT_IMAGE))
                .message()
                .startsWith("two\uFFFDlines\uFFFD\uFFFD[31mxxx")
                .hasSizeLessThan(1100);
    }

    @Test
    void shouldKnowTheEndOfTheParent() throws Exception {
        assertThat(listener().receive()).isEmpty();
        speaker.send(noise(1000));
        byte[] half = Arrays.copyOf(said.toByteArray(), 500);
        assertThat(listener(half).receive()).isEmpty();
    }

    @Test
    void shouldNotTrustTheChild() {
        assertNonsense(new byte[] {'h', 'e', 'l', 'l', 'o'}, "it said 68656c6c instead of an answer");
        assertNonsense(
                new byte[] {'o', 'k', 'a', 'y', 0, 0, 0, 0, 0, 0, 0, 1}, "it said that the image's size is 0 x 1");
        assertNonsense(
                new byte[] {'o', 'k', 'a', 'y', -1, 0, 0, 0, 0, 0, 0, 1},
                "it said that the image's size is -16777216 x 1");
        assertNonsense(
                new byte[] {'f', 'a', 'i', 'l', 0, 2, '\n', '!', 0, 0}, "it gave the unknown reason \"\uFFFD!\"");
        assertThatThrownBy(() -> listener(new byte[] {'o', 'k', 'a', 'y', 0, 0, 0, 1, 0, 0, 0, 1, 7})
                        .awaitAnswer(pixels))
                .isInstanceOf(EOFException.class);
        assertThatThrownBy(() -> listener(new byte[] {1, 2, 3, 4}).awaitReady())
                .hasMessage("it said 01020304 instead of its greeting");
    }

    private void assertNonsense(byte[] words, String message) {
        assertThatThrownBy(() -> listener(words).awaitAnswer(pixels))
                .isInstanceOf(IOException.class)
                .hasMessage(message);
    }

    private Conversation listener() {
        return listener(said.toByteArray());
    }

    private static Conversation listener(byte[] words) {
        return new Conversation(new ByteArrayInputStream(words), OutputStream.nullOutputStream());
    }

    private static byte[] noise(int length) {
        byte[] noise = new byte[length];
        new Random(length).nextBytes(noise);
        return noise;
    }
}
