/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.bundle;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import java.util.List;
import java.util.Optional;

/** The content of {@code bundle.json}. {@code BUNDLE.md} says what each field means. */
public record BundleDescription(
        @JsonProperty(required = true) int formatVersion,
        @JsonProperty(required = true) String id,
        @JsonProperty(required = true) String version,
        @JsonProperty(required = true) long generation,
        @JsonProperty(required = true) String license,
        @JsonProperty(required = true) String provenance,
        @JsonProperty(required = true) Image image,
        @JsonProperty(required = true) Text text,
        @JsonSetter(nulls = Nulls.AS_EMPTY) Optional<Decoder> decoder,
        @JsonProperty(required = true) Reference reference,
        @JsonProperty(required = true) Scoring scoring,
        @JsonProperty(required = true) SelfTest selfTest) {

    /** The length of an image's features in half precision: 2 (D + T x W), or 2 D without a decoder. */
    public int featureBytes() {
        int tokens = decoder.isPresent() ? image.tokens() * image.tokenWidth() : 0;
        return Short.BYTES * (image.embeddingSize() + tokens);
    }

    /** How an image of any shape becomes a square. */
    public enum Resize {
        /** Scale the shorter side to the size, crop the centre. */
        SHORTEST_SIDE_CENTER_CROP,
        /** Scale both sides to the size, ignoring the aspect ratio. */
        SQUASH,
        /** Scale the longer side to the size, pad with black. */
        LETTERBOX
    }

    /** How the text graph's output becomes one vector. */
    public enum Pooling {
        /** The graph pools: output {@code embedding} [L,D]. */
        NONE,
        /** The mean of the token states [L,S,D] that the attention mask keeps. */
        MEAN,
        /** The first token's state. */
        CLS
    }

    /** How the graphs give and take tokens; features keep them in half precision in any case. */
    public enum TokenType {
        /** Single precision. */
        FLOAT32,
        /** Half precision. */
        FLOAT16
    }

    /**
     * The image encoder; {@code size} in pixels, {@code tokens} and {@code tokenWidth} 0 if no decoder reads tokens.
     */
    public record Image(
            @JsonProperty(required = true) String file,
            @JsonProperty(required = true) String sha256,
            @JsonProperty(required = true) int size,
            @JsonProperty(required = true) Resize resize,
            @JsonSetter(nulls = Nulls.AS_EMPTY) int tokens,
            @JsonSetter(nulls = Nulls.AS_EMPTY) int tokenWidth,
            @JsonSetter(nulls = Nulls.AS_EMPTY) Optional<TokenType> tokenType,
            @JsonProperty(required = true) int embeddingSize) {
        /** {@link TokenType#FLOAT32} unless the bundle says otherwise. */
        public TokenType tokenPrecision() {
            return tokenType.orElse(TokenType.FLOAT32);
        }
    }

    /** The text encoder. */
    public record Text(
            @JsonProperty(required = true) String file,
            @JsonProperty(required = true) String sha256,
            @JsonProperty(required = true) String tokenizer,
            @JsonProperty(required = true) String tokenizerSha256,
            @JsonProperty(required = true) int maxTokens,
            @JsonProperty(required = true) Pooling pooling,
            @JsonProperty(required = true) List<String> templates,
            @JsonSetter(nulls = Nulls.AS_EMPTY) Optional<String> center,
            @JsonSetter(nulls = Nulls.AS_EMPTY) Optional<String> centerSha256) {}

    /** The decoder head; {@code addedRows} 0 if the graph decodes only the images that it is given. */
    public record Decoder(
            @JsonProperty(required = true) String file,
            @JsonProperty(required = true) String sha256,
            @JsonSetter(nulls = Nulls.AS_EMPTY) int addedRows) {}

    /** The reference embeddings. */
    public record Reference(
            @JsonProperty(required = true) String file,
            @JsonProperty(required = true) String sha256,
            @JsonProperty(required = true) int count) {}

    /**
     * How logit and cosine become a score, and which labels are candidates; {@code candidatePriorWeight} 0 if only the
     * cosine decides.
     */
    public record Scoring(
            @JsonProperty(required = true) double decoderWeight,
            @JsonProperty(required = true) double cosineWeight,
            @JsonProperty(required = true) double bias,
            @JsonProperty(required = true) double defaultThreshold,
            @JsonProperty(required = true) int topK,
            @JsonProperty(required = true) double candidateCutoff,
            @JsonSetter(nulls = Nulls.AS_EMPTY) double candidatePriorWeight) {}

    /** Images and labels, with the scores that they must get. */
    public record SelfTest(
            @JsonProperty(required = true) String pixels,
            @JsonProperty(required = true) String sha256,
            @JsonProperty(required = true) int images,
            @JsonProperty(required = true) List<String> labels,
            @JsonProperty(required = true) List<List<Double>> scores,
            @JsonProperty(required = true) double tolerance) {}
}
