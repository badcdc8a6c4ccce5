/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import javax.imageio.ImageIO;

/** The test picture: four quarters of red, green, blue and yellow, which show how it was turned and cropped. */
public final class Quarters {
    public static final int SIZE = 32;
    static final List<Color> UPRIGHT = List.of(Color.RED, Color.GREEN, Color.BLUE, Color.YELLOW);

    private static final int TOLERANCE = 40;

    private Quarters() {}

    public static BufferedImage picture(int width, int height, int type) {
        return picture(width, height, type, UPRIGHT);
    }

    public static BufferedImage picture(int width, int height, int type, List<Color> colours) {
        BufferedImage image = new BufferedImage(width, height, type);
        Graphics2D graphics = image.createGraphics();
        for (int i = 0; i < colours.size(); i++) {
            graphics.setColor(colours.get(i));
            graphics.fillRect(i % 2 * (width / 2), i / 2 * (height / 2), width - width / 2, height - height / 2);
        }
        graphics.dispose();
        return image;
    }

    public static byte[] encode(BufferedImage image, String format) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            assertThat(ImageIO.write(image, format, out)).isTrue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    public static byte[] jpeg(int width, int height) {
        return encode(picture(width, height, BufferedImage.TYPE_INT_RGB), "jpg");
    }

    public static byte[] png(int width, int height) {
        return encode(picture(width, height, BufferedImage.TYPE_INT_RGB), "png");
    }

    public static byte[] resource(String name) {
        try (InputStream in = Quarters.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static ByteBuffer target() {
        return ByteBuffer.allocateDirect(3 * SIZE * SIZE);
    }

    /** Checks the colours in the middle of the decoded square's quarters, row by row. */
    static void assertColours(ByteBuffer pixels, List<Color> expected) {
        for (int i = 0; i < expected.size(); i++) {
            int x = SIZE / 4 + i % 2 * SIZE / 2;
            int y = SIZE / 4 + i / 2 * SIZE / 2;
            int at = 3 * (y * SIZE + x);
            Color found = new Color(pixels.get(at) & 0xFF, pixels.get(at + 1) & 0xFF, pixels.get(at + 2) & 0xFF);
            assertThat(distance(found, expected.get(i)))
                    .as("quarter %d is %s, expected %s", i, found, expected.get(i))
                    .isLessThan(TOLERANCE);
        }
    }

    private static int distance(Color one, Color other) {
        return Math.max(
                Math.abs(one.getRed() - other.getRed()),
                Math.max(Math.abs(one.getGreen() - other.getGreen()), Math.abs(one.getBlue() - other.getBlue())));
    }
}
