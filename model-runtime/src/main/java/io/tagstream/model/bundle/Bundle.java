/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.bundle;

import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.Reference;
import io.tagstream.model.bundle.BundleDescription.SelfTest;
import io.tagstream.model.bundle.BundleDescription.Text;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model on disk or on the class path, with its description and every file verified. Building a runtime from it
 * verifies the graphs and runs their self-test.
 *
 * <p>Immutable. It holds its files in memory, so drop it once you have built a runtime.
 */
public final class Bundle {
    private static final double UNIT_NORM_TOLERANCE = 1e-2;

    private final BundleFiles files;
    private final BundleDescription description;
    private final byte[] imageEncoder;
    private final byte[] textEncoder;
    private final byte[] tokenizer;
    private final Optional<byte[]> decoder;
    private final float[][] reference;
    private final Optional<float[]> textCenter;
    private final byte[] selfTestPixels;

    private Bundle(BundleFiles files) {
        this.files = files;
        this.description = BundleReader.read(files);
        Image image = description.image();
        this.imageEncoder = files.read(image.file(), image.sha256());
        Text text = description.text();
        this.textEncoder = files.read(text.file(), text.sha256());
        this.tokenizer = files.read(text.tokenizer(), text.tokenizerSha256());
        this.decoder = description.decoder().map(described -> files.read(described.file(), described.sha256()));
        this.textCenter =
                text.center().map(file -> floats(file, text.centerSha256().orElseThrow(), 1, image.embeddingSize())[0]);
        this.reference = readReference();
        this.selfTestPixels = readSelfTestPixels();
    }

    /**
     * Loads and verifies the bundle in a directory.
     *
     * @throws BundleException if anything about it is wrong
     */
    public static Bundle load(Path directory) {
        return new Bundle(BundleFiles.inDirectory(directory));
    }

    /**
     * Loads and verifies a bundle.
     *
     * @param location a directory, or {@code classpath:} and a folder of resources, such as
     *     {@code classpath:io/tagstream/bundles/everyday}
     * @throws BundleException if anything about it is wrong
     */
    public static Bundle load(String location) {
        return new Bundle(BundleFiles.at(location));
    }

    /** Where the bundle was loaded from, for messages. */
    public String location() {
        return files.location();
    }

    public BundleDescription description() {
        return description;
    }

    /** The image encoder's ONNX graph; do not change it. */
    public byte[] imageEncoder() {
        return imageEncoder;
    }

    /** The text encoder's ONNX graph; do not change it. */
    public byte[] textEncoder() {
        return textEncoder;
    }

    /** The tokenizer in Hugging Face's JSON format; do not change it. */
    public byte[] tokenizer() {
        return tokenizer;
    }

    /** The decoder head's ONNX graph; empty if only the cosine scores. Do not change it. */
    public Optional<byte[]> decoder() {
        return decoder;
    }

    /** The reference embeddings: {@code count} rows of D floats, unit norm; do not change them. */
    public float[][] referenceEmbeddings() {
        return reference;
    }

    /** What is subtracted from a label's vector: D floats; do not change them. */
    public Optional<float[]> textCenter() {
        return textCenter;
    }

    /** The self-test's images: {@code images} x size x size x 3 bytes of RGB; a new read-only view. */
    public ByteBuffer selfTestPixels() {
        return ByteBuffer.wrap(selfTestPixels).asReadOnlyBuffer();
    }

    /**
     * SHA-256 of everything that a label's vector and reference statistics depend on, 64 lower-case hexadecimal digits.
     */
    public String textFingerprint() {
        Text text = description.text();
        StringBuilder all = new StringBuilder();
        all.append("graph=").append(text.sha256()).append('\n');
        all.append("tokenizer=").append(text.tokenizerSha256()).append('\n');
        all.append("center=").append(text.centerSha256().orElse("none")).append('\n');
        all.append("maxTokens=").append(text.maxTokens()).append('\n');
        all.append("pooling=").append(text.pooling()).append('\n');
        all.append("reference=").append(description.reference().sha256()).append('\n');
        for (String template : text.templates()) {
            // with the length, different lists never give the same text
            all.append("template=")
                    .append(template.length())
                    .append(':')
                    .append(template)
                    .append('\n');
        }
        return Sha256.of(all.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** SHA-256 of the image graphs, 64 lower-case hexadecimal digits. */
    public String graphFingerprint() {
        String all = description.image().sha256()
                + description.decoder().map(BundleDescription.Decoder::sha256).orElse("");
        return Sha256.of(all.getBytes(StandardCharsets.UTF_8));
    }

    /** An exception that says what is wrong with a file of this bundle. */
    public BundleException wrong(String file, String expected, String found) {
        return new BundleException(location(), file, expected, found);
    }

    private float[][] readReference() {
        Reference described = description.reference();
        int size = description.image().embeddingSize();
        float[][] rows = floats(described.file(), described.sha256(), described.count(), size);
        for (int row = 0; row < rows.length; row++) {
            double squares = 0;
            for (float value : rows[row]) {
                squares += (double) value * value;
            }
            double norm = Math.sqrt(squares);
            if (!(Math.abs(norm - 1) <= UNIT_NORM_TOLERANCE)) {
                throw wrong(described.file(), "rows of unit norm", "norm %.4f in row %d".formatted(norm, row));
            }
        }
        return rows;
    }

    private byte[] readSelfTestPixels() {
        SelfTest test = description.selfTest();
        byte[] pixels = files.read(test.pixels(), test.sha256());
        int size = description.image().size();
        long expected = 3L * test.images() * size * size;
        if (pixels.length != expected) {
            throw wrong(
                    test.pixels(),
                    "%d bytes (%d images of %d x %d x 3)".formatted(expected, test.images(), size, size),
                    pixels.length + " bytes");
        }
        return pixels;
    }

    private float[][] floats(String file, String sha256, int rows, int columns) {
        byte[] bytes = files.read(file, sha256);
        long expected = 4L * rows * columns;
        if (bytes.length != expected) {
            throw wrong(file, "%d bytes (%d x %d floats)".formatted(expected, rows, columns), bytes.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        float[][] values = new float[rows][columns];
        for (float[] row : values) {
            for (int column = 0; column < columns; column++) {
                row[column] = buffer.getFloat();
                if (!Float.isFinite(row[column])) {
                    throw wrong(file, "finite numbers", String.valueOf(row[column]));
                }
            }
        }
        return values;
    }
}
