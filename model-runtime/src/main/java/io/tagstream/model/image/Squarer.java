/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.bundle.BundleDescription.Resize;
import java.nio.ByteBuffer;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Rect;
import org.opencv.core.Scalar;
import org.opencv.core.Size;
import org.opencv.imgproc.Imgproc;

/**
 * Turns a picture of any shape into the model's square: by area averaging if it shrinks, bilinear if it grows. The EXIF
 * orientation is applied to the small square, which gives the same result and costs nothing.
 */
final class Squarer {
    private final int size;
    private final Resize resize;

    Squarer(int size, Resize resize) {
        this.size = size;
        this.resize = resize;
    }

    int bytes() {
        return 3 * size * size;
    }

    /** By how much (8, 4, 2 or 1) a picture may be reduced beforehand so that it need not grow afterwards. */
    int reduction(int width, int height) {
        int side = resize == Resize.LETTERBOX ? Math.max(width, height) : Math.min(width, height);
        for (int factor = 8; factor > 1; factor /= 2) {
            if (side / factor >= size) {
                return factor;
            }
        }
        return 1;
    }

    /**
     * Squares a picture.
     *
     * @param orientation EXIF orientation, 1 to 8
     * @param target direct, receives {@link #bytes} bytes of RGB
     */
    void square(Picture picture, int orientation, ByteBuffer target, Mats mats) {
        Mat reduced = Reducer.reduce(picture, mats);
        Mat content = resize == Resize.SHORTEST_SIDE_CENTER_CROP ? centre(reduced, mats) : reduced;
        Mat scaled = resize == Resize.LETTERBOX ? letterbox(content, mats) : scale(content, size, size, mats);
        Mat upright = upright(scaled, orientation, mats);
        Mat pixels = mats.own(new Mat(size, size, CvType.CV_8UC3, target));
        Imgproc.cvtColor(upright, pixels, Imgproc.COLOR_BGR2RGB);
    }

    private static Mat centre(Mat picture, Mats mats) {
        int side = Math.min(picture.cols(), picture.rows());
        return mats.own(picture.submat(new Rect((picture.cols() - side) / 2, (picture.rows() - side) / 2, side, side)));
    }

    private static Mat scale(Mat picture, int width, int height, Mats mats) {
        Mat scaled = picture;
        int smallerWidth = Math.min(width, scaled.cols());
        int smallerHeight = Math.min(height, scaled.rows());
        if (smallerWidth < scaled.cols() || smallerHeight < scaled.rows()) {
            Mat shrunk = mats.own(new Mat());
            Imgproc.resize(scaled, shrunk, new Size(smallerWidth, smallerHeight), 0, 0, Imgproc.INTER_AREA);
            scaled = shrunk;
        }
        if (scaled.cols() < width || scaled.rows() < height) {
            Mat grown = mats.own(new Mat());
            Imgproc.resize(scaled, grown, new Size(width, height), 0, 0, Imgproc.INTER_LINEAR);
            scaled = grown;
        }
        return scaled;
    }

    private Mat letterbox(Mat picture, Mats mats) {
        double factor = (double) size / Math.max(picture.cols(), picture.rows());
        int width = Math.max(1, (int) Math.round(picture.cols() * factor));
        int height = Math.max(1, (int) Math.round(picture.rows() * factor));
        Mat scaled = scale(picture, width, height, mats);
        int left = (size - width) / 2;
        int top = (size - height) / 2;
        Mat padded = mats.own(new Mat());
        Core.copyMakeBorder(
                scaled,
                padded,
                top,
                size - height - top,
                left,
                size - width - left,
                Core.BORDER_CONSTANT,
                new Scalar(0, 0, 0));
        return padded;
    }

    private static Mat upright(Mat square, int orientation, Mats mats) {
        if (orientation == 1) {
            return square;
        }
        Mat turned = mats.own(new Mat());
        switch (orientation) {
            case 2 -> Core.flip(square, turned, 1);
            case 3 -> Core.rotate(square, turned, Core.ROTATE_180);
            case 4 -> Core.flip(square, turned, 0);
            case 5 -> Core.transpose(square, turned);
            case 6 -> Core.rotate(square, turned, Core.ROTATE_90_CLOCKWISE);
            case 7 -> {
                Mat transposed = mats.own(new Mat());
                Core.transpose(square, transposed);
                Core.rotate(transposed, turned, Core.ROTATE_180);
            }
            case 8 -> Core.rotate(square, turned, Core.ROTATE_90_COUNTERCLOCKWISE);
            default -> throw new IllegalArgumentException("not an EXIF orientation: " + orientation);
        }
        return turned;
    }
}
