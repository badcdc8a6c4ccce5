/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.ImageException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Rect;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

/** Decodes a WebP: of an animation, which OpenCV does not read, the canvas with its first frame. */
final class WebpDecoder {
    private WebpDecoder() {}

    static Mat firstFrame(ByteBuffer webp, ImageHeader header, OpenCvCall call, Mats mats) throws ImageException {
        Optional<WebpStructure.Frame> animated = WebpStructure.firstFrame(webp);
        if (animated.isEmpty()) {
            return call.decode(List.of(webp), Imgcodecs.IMREAD_UNCHANGED);
        }
        WebpStructure.Frame frame = animated.get();
        Mat picture = call.decode(frame.still(), Imgcodecs.IMREAD_UNCHANGED);
        if (picture.cols() != frame.width() || picture.rows() != frame.height()) {
            throw ImageHeader.corrupt(ImageFormat.WEBP, "has a frame of another size than it says");
        }
        if (frame.width() == header.width() && frame.height() == header.height()) {
            return picture;
        }
        Mat canvas = mats.own(new Mat(header.height(), header.width(), CvType.CV_8UC4, new Scalar(0, 0, 0, 0)));
        Mat place = mats.own(canvas.submat(new Rect(frame.left(), frame.top(), frame.width(), frame.height())));
        picture.copyTo(place);
        picture.release();
        return canvas;
    }
}
