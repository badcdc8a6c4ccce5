/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.TokenType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;

/**
 * The tokens of a scorer's images, [rows, T, W], in half precision. If the graphs give and take single precision, also in
 * that, and ONNX Runtime converts them; nothing is converted here.
 *
 * <p><i>Threading notes.</i> One thread at a time.
 */
final class TokenRows {
    private final OrtEnvironment environment;
    private final Image image;
    private final OnnxJavaType type;
    /** In the machine's order of bytes, as in features: all machines that ONNX Runtime's Java supports are little-endian. */
    private final ByteBuffer halves;

    private final Optional<Conversion> conversion;

    /** Between the graphs' precision and half precision. */
    private record Conversion(OrtSession halve, OrtSession widen, ByteBuffer floats) {}

    TokenRows(Sessions sessions, int rows) {
        this.environment = sessions.environment();
        this.image = sessions.description().image();
        this.type = typeOf(image);
        this.halves = direct(rows * bytesOfARow());
        this.conversion = sessions.conversions()
                .map(sessionPair ->
                        new Conversion(sessionPair.halve(), sessionPair.widen(), direct(2 * rows * bytesOfARow())));
    }

    /** The element type of the graphs' tokens. */
    static OnnxJavaType typeOf(Image image) {
        return image.tokenPrecision() == TokenType.FLOAT16 ? OnnxJavaType.FLOAT16 : OnnxJavaType.FLOAT;
    }

    /** The size of an image's tokens in half precision. */
    int bytesOfARow() {
        return Short.BYTES * image.tokens() * image.tokenWidth();
    }

    /** A tensor over rows for the image encoder to write, or for the decoder to read. */
    OnnxTensor tensor(int from, int count) throws OrtException {
        return tensor(conversion.map(Conversion::floats).orElse(halves), from, count);
    }

    /** A tensor over an image without content. */
    OnnxTensor empty() throws OrtException {
        return tensor(direct(2 * bytesOfARow()), 0, 1);
    }

    private OnnxTensor tensor(ByteBuffer buffer, int from, int count) throws OrtException {
        int bytes = image.tokens() * image.tokenWidth() * type.size;
        return OnnxTensor.createTensor(
                environment,
                buffer.slice(from * bytes, count * bytes).order(ByteOrder.nativeOrder()),
                new long[] {count, image.tokens(), image.tokenWidth()},
                type);
    }

    /** The image encoder has written the first rows. */
    void written(int count) throws OrtException {
        if (conversion.isPresent()) {
            convert(conversion.get().halve(), conversion.get().floats(), OnnxJavaType.FLOAT, halves, count);
        }
    }

    /** The decoder is about to read the first rows, as {@link #put} or {@link #written} left them. */
    void toBeRead(int count) throws OrtException {
        if (conversion.isPresent()) {
            convert(
                    conversion.get().widen(),
                    halves,
                    OnnxJavaType.FLOAT16,
                    conversion.get().floats(),
                    count);
        }
    }

    private void convert(OrtSession session, ByteBuffer from, OnnxJavaType fromType, ByteBuffer to, int rows)
            throws OrtException {
        int count = rows * image.tokens() * image.tokenWidth();
        OnnxJavaType toType = fromType == OnnxJavaType.FLOAT ? OnnxJavaType.FLOAT16 : OnnxJavaType.FLOAT;
        try (OnnxTensor input = flat(from, count, fromType);
                OnnxTensor output = flat(to, count, toType);
                OrtSession.Result result = session.run(Map.of("numbers", input), Map.of("converted", output))) {
            if (result.size() != 1) {
                throw new IllegalStateException("expected 1 output, found " + result.size());
            }
        }
    }

    private OnnxTensor flat(ByteBuffer buffer, int count, OnnxJavaType elements) throws OrtException {
        return OnnxTensor.createTensor(
                environment,
                buffer.slice(0, count * elements.size).order(ByteOrder.nativeOrder()),
                new long[] {count},
                elements);
    }

    /** Copies a row in half precision. */
    void get(int row, byte[] target, int offset) {
        halves.get(row * bytesOfARow(), target, offset, bytesOfARow());
    }

    /** Replaces a row. */
    void put(int row, byte[] source, int offset) {
        halves.put(row * bytesOfARow(), source, offset, bytesOfARow());
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
