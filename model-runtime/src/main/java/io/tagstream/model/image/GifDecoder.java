/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

/**
 * Decodes the first frame of a GIF with the JDK's reader, since OpenCV cannot read GIFs. The pixels are on Java's heap,
 * so of a huge frame only every second, third … pixel of every second, third … row is read.
 */
final class GifDecoder {
    /** A pixel takes four bytes in the reader's picture, and four on the screen. */
    private static final long MOST_PIXELS = 16_000_000;

    private GifDecoder() {}

    /** The first frame over white, in BGR. */
    static Mat firstFrame(byte[] encoded, Mats mats) throws ImageException {
        GifStructure.Frame frame = GifStructure.firstFrame(ByteBuffer.wrap(encoded));
        int step = (int) Math.ceil(Math.sqrt((double) frame.screen().pixels() / MOST_PIXELS));
        int width = (frame.screen().width() + step - 1) / step;
        int height = (frame.screen().height() + step - 1) / step;
        BufferedImage screen = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        Graphics2D graphics = screen.createGraphics();
        try {
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, width, height);
            graphics.drawImage(read(encoded, step), frame.left() / step, frame.top() / step, null);
        } finally {
            graphics.dispose();
        }
        Mat picture = mats.own(new Mat(height, width, CvType.CV_8UC3));
        picture.put(0, 0, ((DataBufferByte) screen.getRaster().getDataBuffer()).getData());
        return picture;
    }

    private static BufferedImage read(byte[] encoded, int step) throws ImageException {
        ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
            reader.setInput(in, true, true);
            ImageReadParam every = reader.getDefaultReadParam();
            every.setSourceSubsampling(step, step, 0, 0);
            return reader.read(0, every);
        } catch (IOException | RuntimeException e) {
            // the reader reports damaged data by various runtime exceptions
            throw new ImageException(
                    FailureReason.CORRUPT_IMAGE, "the GIF does not decode: " + Excerpt.of(e.toString()), e);
        } finally {
            reader.dispose();
        }
    }
}
