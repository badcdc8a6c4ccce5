/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.util.ArrayList;
import java.util.List;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Size;
import org.opencv.imgproc.Imgproc;

/**
 * Makes opaque pictures of 8-bit BGR, reduced by a whole factor, from pictures of any kind. It works on a strip of rows
 * at a time, so that it takes little memory beside the picture.
 */
final class Reducer {
    private static final int GREY = 1;
    private static final int BGR = 3;
    private static final int BGRA = 4;
    private static final int STRIP_PIXELS = 1 << 20;

    private Reducer() {}

    /** The picture over white, reduced by averaging squares of pixels. */
    static Mat reduce(Picture picture, Mats mats) {
        Mat pixels = picture.pixels();
        int factor = picture.reduction();
        if (factor == 1 && pixels.channels() == BGR && pixels.depth() == CvType.CV_8U) {
            return pixels;
        }
        Mat reduced = mats.own(
                new Mat((pixels.rows() + factor - 1) / factor, (pixels.cols() + factor - 1) / factor, CvType.CV_8UC3));
        int rows = Math.max(1, STRIP_PIXELS / pixels.cols() / factor) * factor;
        for (int from = 0; from < pixels.rows(); from += rows) {
            int to = Math.min(pixels.rows(), from + rows);
            try (Mats ofStrip = new Mats()) {
                Mat strip = ofStrip.own(pixels.rowRange(from, to));
                Mat target = ofStrip.own(reduced.rowRange(from / factor, (to + factor - 1) / factor));
                reduce(opaque(strip, picture.alpha(), ofStrip), factor, target, ofStrip);
            }
        }
        pixels.release();
        return reduced;
    }

    /** A JPEG's decoder, too, repeats the last row and column where there are not enough for a square. */
    private static void reduce(Mat strip, int factor, Mat target, Mats mats) {
        Mat whole = strip;
        int right = target.cols() * factor - strip.cols();
        int bottom = target.rows() * factor - strip.rows();
        if (right > 0 || bottom > 0) {
            whole = mats.own(new Mat());
            Core.copyMakeBorder(strip, whole, 0, bottom, 0, right, Core.BORDER_REPLICATE);
        }
        if (factor == 1) {
            whole.copyTo(target);
        } else {
            Imgproc.resize(whole, target, new Size(target.cols(), target.rows()), 0, 0, Imgproc.INTER_AREA);
        }
    }

    private static Mat opaque(Mat strip, Alpha alpha, Mats mats) {
        Mat eightBits = strip;
        if (strip.depth() == CvType.CV_16U) {
            eightBits = mats.own(new Mat());
            strip.convertTo(eightBits, CvType.CV_8U, 1.0 / 257);
        }
        return switch (eightBits.channels()) {
            case GREY -> {
                Mat colour = mats.own(new Mat());
                Imgproc.cvtColor(eightBits, colour, Imgproc.COLOR_GRAY2BGR);
                yield colour;
            }
            case BGRA -> overWhite(eightBits, alpha, mats);
            default -> eightBits;
        };
    }

    /** colour * alpha + white * (1 - alpha), where premultiplied colours have been multiplied already */
    private static Mat overWhite(Mat strip, Alpha kind, Mats mats) {
        List<Mat> channels = new ArrayList<>();
        Core.split(strip, channels);
        channels.forEach(mats::own);
        Mat alpha = channels.remove(BGRA - 1);
        if (kind != Alpha.NONE && Core.minMaxLoc(alpha).minVal < 255) {
            Mat white = mats.own(new Mat());
            Core.bitwise_not(alpha, white);
            for (Mat channel : channels) {
                if (kind == Alpha.STRAIGHT) {
                    Core.multiply(channel, alpha, channel, 1.0 / 255);
                }
                Core.add(channel, white, channel);
            }
        }
        Mat opaque = mats.own(new Mat());
        Core.merge(channels, opaque);
        return opaque;
    }
}
