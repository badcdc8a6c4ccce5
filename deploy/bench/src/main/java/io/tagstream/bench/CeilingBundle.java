/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.cluster.OperatorException;
import io.tagstream.model.bundle.BundleDescription.TokenType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Writes a bundle whose graphs cost next to nothing and have the shapes of a real model: an image's tokens are its first
 * pixels times random weights, so that they are as hard to compress as real ones. A label's vector depends on its
 * letters. Scores mean nothing, but differ from image to image and from label to label, and a few of them are tags.
 */
final class CeilingBundle {
    private static final int SIZE = 224;
    private static final int PIXEL_BYTES = SIZE * SIZE * 3;
    private static final int REFERENCES = 64;
    private static final int SEED = 1;
    private static final int FIRST_LETTER = ' ';
    private static final int LAST_LETTER = '~';
    private static final String IMAGE_ENCODER = "image_encoder.onnx";
    private static final String TEXT_ENCODER = "text_encoder.onnx";
    private static final String DECODER = "decoder.onnx";
    private static final String TOKENIZER = "tokenizer.json";
    private static final String REFERENCE = "reference_embeddings.f32";
    private static final String PIXELS = "self_test_pixels.u8";

    private final CeilingShape shape;
    private final TokenType tokens;
    private final Random random = new Random(SEED);
    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, byte[]> files = new LinkedHashMap<>();

    private CeilingBundle(CeilingShape shape, TokenType tokens) {
        this.shape = shape;
        this.tokens = tokens;
    }

    /** Writes it to a new directory of the given name, with graphs that give and take such tokens. */
    static Path write(CeilingShape shape, TokenType tokens, Path directory) {
        CeilingBundle bundle = new CeilingBundle(shape, tokens);
        bundle.files.put(IMAGE_ENCODER, bundle.imageEncoder());
        bundle.files.put(TEXT_ENCODER, bundle.textEncoder());
        bundle.files.put(DECODER, bundle.decoder());
        bundle.files.put(TOKENIZER, bundle.tokenizer());
        bundle.files.put(REFERENCE, bundle.reference());
        bundle.files.put(PIXELS, new byte[PIXEL_BYTES]);
        bundle.files.put("bundle.json", bundle.description());
        bundle.files.put("vocabulary.csv", vocabulary());
        try {
            Files.createDirectories(directory);
            for (Map.Entry<String, byte[]> file : bundle.files.entrySet()) {
                Files.write(directory.resolve(file.getKey()), file.getValue());
            }
            return directory;
        } catch (IOException e) {
            throw OperatorException.failed("the bundle %s cannot be written: %s".formatted(directory, e), e);
        }
    }

    private byte[] imageEncoder() {
        int values = shape.tokens() * shape.tokenWidth();
        return new OnnxGraph("image_encoder")
                .input("pixels", OnnxGraph.Type.UINT8, "B", SIZE, SIZE, 3)
                .output("tokens", tokenType(), "B", shape.tokens(), shape.tokenWidth())
                .output("embedding", OnnxGraph.Type.FLOAT, "B", shape.embeddingSize())
                .weights("rows", new long[] {0, -1})
                .weights("first", new long[] {0})
                .weights("last", new long[] {values})
                .weights("lastEmbedded", new long[] {shape.embeddingSize()})
                .weights("second", new long[] {1})
                .weights("tokenShape", new long[] {0, shape.tokens(), shape.tokenWidth()})
                .weights("tokenWeights", gaussian(values, 1.0 / 256), values)
                .weights("embeddingWeights", gaussian(shape.embeddingSize(), 1.0 / 256), shape.embeddingSize())
                .weights("embeddingBias", gaussian(shape.embeddingSize(), 0.1), shape.embeddingSize())
                .node("Reshape", List.of("pixels", "rows"), "row")
                .node("Slice", List.of("row", "first", "last", "second"), "used")
                .node("Cast", List.of("used"), "numbers", "to", OnnxGraph.Type.FLOAT.number())
                .node("Mul", List.of("numbers", "tokenWeights"), "weighted")
                .node("Cast", List.of("weighted"), "given", "to", tokenType().number())
                .node("Reshape", List.of("given", "tokenShape"), "tokens")
                .node("Slice", List.of("numbers", "first", "lastEmbedded", "second"), "some")
                .node("Mul", List.of("some", "embeddingWeights"), "scaled")
                .node("Add", List.of("scaled", "embeddingBias"), "shifted")
                .node("LpNormalization", List.of("shifted"), "embedding", "axis", 1)
                .toBytes();
    }

    private byte[] textEncoder() {
        int size = shape.embeddingSize();
        return new OnnxGraph("text_encoder")
                .input("input_ids", OnnxGraph.Type.INT64, "L", "S")
                .input("attention_mask", OnnxGraph.Type.INT64, "L", "S")
                .output("embedding", OnnxGraph.Type.FLOAT, "L", size)
                .weights("lettersAxis", new long[] {1})
                .weights("frequencies", gaussian(size, 1), 1, size)
                .node("Mul", List.of("input_ids", "attention_mask"), "ids")
                .node("Cast", List.of("ids"), "numbers", "to", OnnxGraph.Type.FLOAT.number())
                // a number for each text, to which the order of the letters counts
                .node("CumSum", List.of("numbers", "lettersAxis"), "sums")
                .node("Mul", List.of("sums", "sums"), "products")
                .node("ReduceSum", List.of("products", "lettersAxis"), "text", "keepdims", 1)
                .node("Mul", List.of("text", "frequencies"), "angles")
                .node("Cos", List.of("angles"), "waves")
                .node("LpNormalization", List.of("waves"), "embedding", "axis", 1)
                .toBytes();
    }

    /** A logit is the product of a label's first numbers and an image's first token's. */
    private byte[] decoder() {
        int used = 16;
        return new OnnxGraph("decoder")
                .input("tokens", tokenType(), "B", shape.tokens(), shape.tokenWidth())
                .input("labels", OnnxGraph.Type.FLOAT, "L", shape.embeddingSize())
                .output("logits", OnnxGraph.Type.FLOAT, "B", "L")
                .weights("starts", new long[] {0, 0})
                .weights("ends", new long[] {1, used})
                .weights("axes", new long[] {1, 2})
                .weights("imageShape", new long[] {0, used})
                .weights("labelStart", new long[] {0})
                .weights("labelEnd", new long[] {used})
                .weights("second", new long[] {1})
                .weights("labelWeights", gaussian(used * used, 1), used, used)
                .node("Slice", List.of("tokens", "starts", "ends", "axes"), "taken")
                .node("Cast", List.of("taken"), "token", "to", OnnxGraph.Type.FLOAT.number())
                .node("Reshape", List.of("token", "imageShape"), "image")
                .node("MatMul", List.of("image", "labelWeights"), "asked")
                .node("Slice", List.of("labels", "labelStart", "labelEnd", "second"), "label")
                .node("Transpose", List.of("label"), "columns")
                .node("MatMul", List.of("asked", "columns"), "logits")
                .toBytes();
    }

    private OnnxGraph.Type tokenType() {
        return switch (tokens) {
            case FLOAT32 -> OnnxGraph.Type.FLOAT;
            case FLOAT16 -> OnnxGraph.Type.FLOAT16;
        };
    }

    private byte[] tokenizer() {
        ObjectNode tokenizer = json.createObjectNode().put("version", "1.0");
        for (String none :
                List.of("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder")) {
            tokenizer.putNull(none);
        }
        tokenizer.putArray("added_tokens");
        ObjectNode model = tokenizer.putObject("model");
        model.put("type", "BPE")
                .putNull("dropout")
                .put("unk_token", "?")
                .putNull("continuing_subword_prefix")
                .putNull("end_of_word_suffix")
                .put("fuse_unk", false);
        ObjectNode letters = model.putObject("vocab");
        for (char letter = FIRST_LETTER; letter <= LAST_LETTER; letter++) {
            letters.put(String.valueOf(letter), letter - FIRST_LETTER + 1);
        }
        model.putArray("merges");
        return tokenizer.toString().getBytes(StandardCharsets.UTF_8);
    }

    private byte[] reference() {
        int size = shape.embeddingSize();
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * REFERENCES * size).order(ByteOrder.LITTLE_ENDIAN);
        for (int row = 0; row < REFERENCES; row++) {
            float[] values = gaussian(size, 1);
            double squares = 0;
            for (float value : values) {
                squares += (double) value * value;
            }
            for (float value : values) {
                bytes.putFloat((float) (value / Math.sqrt(squares)));
            }
        }
        return bytes.array();
    }

    private byte[] description() {
        ObjectNode bundle = json.createObjectNode()
                .put("formatVersion", 1)
                .put("id", "ceiling-" + shape)
                .put("version", "1.0.0")
                .put("generation", 1)
                .put("license", "Apache-2.0")
                .put("provenance", "random weights, for a benchmark of everything but the model");
        named(bundle.putObject("image"), "file", "sha256", IMAGE_ENCODER)
                .put("size", SIZE)
                .put("resize", "SQUASH")
                .put("tokens", shape.tokens())
                .put("tokenWidth", shape.tokenWidth())
                .put("tokenType", tokens.name())
                .put("embeddingSize", shape.embeddingSize());
        ObjectNode text = named(bundle.putObject("text"), "file", "sha256", TEXT_ENCODER);
        named(text, "tokenizer", "tokenizerSha256", TOKENIZER)
                .put("maxTokens", 512)
                .put("pooling", "NONE")
                .putArray("templates")
                .add("{}");
        named(bundle.putObject("decoder"), "file", "sha256", DECODER);
        named(bundle.putObject("reference"), "file", "sha256", REFERENCE).put("count", REFERENCES);
        bundle.putObject("scoring")
                .put("decoderWeight", 0.1)
                .put("cosineWeight", 1.0)
                .put("bias", -1.0)
                .put("defaultThreshold", 0.5)
                .put("topK", 10)
                .put("candidateCutoff", 1.0);
        ObjectNode selfTest = named(bundle.putObject("selfTest"), "pixels", "sha256", PIXELS);
        selfTest.put("images", 1).putArray("labels").add("dog");
        ArrayNode scores = selfTest.putArray("scores");
        scores.addArray().add(0.5);
        // random weights have no right score
        selfTest.put("tolerance", 1.0);
        return bundle.toString().getBytes(StandardCharsets.UTF_8);
    }

    private ObjectNode named(ObjectNode target, String field, String checksumField, String file) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(files.get(file));
            return target.put(field, file).put(checksumField, HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static byte[] vocabulary() {
        StringBuilder csv = new StringBuilder("id,name\n");
        for (int i = 0; i < 100; i++) {
            csv.append("made-up-").append(i).append(",made up ").append(i).append('\n');
        }
        return csv.toString().getBytes(StandardCharsets.UTF_8);
    }

    private float[] gaussian(int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }
}
