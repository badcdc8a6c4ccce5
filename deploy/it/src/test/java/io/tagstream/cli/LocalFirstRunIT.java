/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cli.CommandProcess.Run;
import io.tagstream.it.InRun;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A first run over a folder with more images than fit into one request or one transaction. */
@InRun
class LocalFirstRunIT {
    private static final int IMAGES = 300;
    private static final int SIDE = 32;

    @TempDir
    Path folder;

    @Test
    void shouldWriteNothingButOutcomes() throws Exception {
        Random random = new Random(1);
        for (int image = 0; image < IMAGES; image++) {
            write(folder.resolve("image-%03d.png".formatted(image)), random);
        }

        Run run = CommandProcess.run("local", folder.toString(), "--once");

        assertThat(run.errors()).isEqualToIgnoringNewLines(IMAGES + " images tagged, 0 failed");
        assertThat(run.exitCode()).isZero();
        assertThat(run.lines()).hasSize(IMAGES);
    }

    private static void write(Path file, Random random) throws IOException {
        BufferedImage noise = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
            noise.setRGB(pixel % SIDE, pixel / SIDE, random.nextInt());
        }
        ImageIO.write(noise, "png", file.toFile());
    }
}
