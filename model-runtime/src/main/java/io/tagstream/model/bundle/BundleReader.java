/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.bundle;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.tagstream.model.bundle.BundleDescription.Decoder;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.Scoring;
import io.tagstream.model.bundle.BundleDescription.SelfTest;
import io.tagstream.model.bundle.BundleDescription.Text;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads {@code bundle.json} and checks that the format allows every field. */
final class BundleReader {
    static final String FILE = "bundle.json";

    private static final int FORMAT_VERSION = 1;
    private static final int LARGEST_SIDE = 4096;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");
    private static final JsonMapper JSON = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .defaultSetterInfo(JsonSetter.Value.forValueNulls(Nulls.FAIL, Nulls.FAIL))
            .build();

    private final String location;

    private BundleReader(String location) {
        this.location = location;
    }

    static BundleDescription read(BundleFiles files) {
        BundleReader reader = new BundleReader(files.location());
        BundleDescription description = reader.parse(files.read(FILE));
        reader.check(description);
        return description;
    }

    private BundleDescription parse(byte[] json) {
        try {
            return JSON.readValue(json, BundleDescription.class);
        } catch (UnrecognizedPropertyException e) {
            throw new BundleException(
                    location,
                    FILE,
                    "known fields only (%s)".formatted(e.getKnownPropertyIds()),
                    "unknown field \"%s\"".formatted(path(e)),
                    e);
        } catch (JsonMappingException e) {
            throw new BundleException(
                    location,
                    FILE,
                    "a bundle description",
                    "at \"%s\": %s".formatted(path(e), e.getOriginalMessage()),
                    e);
        } catch (JsonProcessingException e) {
            throw new BundleException(location, FILE, "JSON", e.getMessage(), e);
        } catch (IOException e) {
            throw new IllegalStateException("bytes in memory are always readable", e);
        }
    }

    private static String path(JsonMappingException e) {
        return e.getPath().stream()
                .map(part -> part.getFieldName() == null ? "[" + part.getIndex() + "]" : part.getFieldName())
                .collect(Collectors.joining("."));
    }

    private void check(BundleDescription description) {
        expect(
                description.formatVersion() == FORMAT_VERSION,
                "formatVersion",
                FORMAT_VERSION + ", the version that this Tagstream reads",
                description.formatVersion());
        expect(NAME.matcher(description.id()).matches(), "id", "letters, digits, dots and dashes", description.id());
        expect(
                NAME.matcher(description.version()).matches(),
                "version",
                "letters, digits, dots and dashes",
                description.version());
        expect(description.generation() >= 0, "generation", "0 or more", description.generation());
        check(description.image());
        description.decoder().ifPresent(decoder -> check(decoder, description.image()));
        check(description.text());
        checksum("reference.sha256", description.reference().sha256());
        // a single embedding has no deviation
        expect(
                description.reference().count() >= 2,
                "reference.count",
                "2 or more",
                description.reference().count());
        check(description.scoring());
        check(description.selfTest());
    }

    private void check(Image image) {
        checksum("image.sha256", image.sha256());
        expect(
                image.size() >= 1 && image.size() <= LARGEST_SIDE,
                "image.size",
                "1 to " + LARGEST_SIDE + " pixels",
                image.size());
        expect(image.embeddingSize() >= 1, "image.embeddingSize", "1 or more", image.embeddingSize());
    }

    private void check(Decoder decoder, Image image) {
        checksum("decoder.sha256", decoder.sha256());
        expect(decoder.addedRows() >= 0, "decoder.addedRows", "0 or more", decoder.addedRows());
        expect(image.tokens() >= 1, "image.tokens", "1 or more, for the decoder", image.tokens());
        expect(image.tokenWidth() >= 1, "image.tokenWidth", "1 or more, for the decoder", image.tokenWidth());
    }

    private void check(Text text) {
        checksum("text.sha256", text.sha256());
        checksum("text.tokenizerSha256", text.tokenizerSha256());
        expect(text.maxTokens() >= 1, "text.maxTokens", "1 or more", text.maxTokens());
        expect(!text.templates().isEmpty(), "text.templates", "at least one", "none");
        for (String template : text.templates()) {
            expect(template.contains("{}"), "text.templates", "{} in each, for the label's name", template);
        }
        expect(
                text.center().isPresent() == text.centerSha256().isPresent(),
                "text.centerSha256",
                "both center and centerSha256, or neither",
                text.center().isPresent() ? "center only" : "centerSha256 only");
        text.centerSha256().ifPresent(sha256 -> checksum("text.centerSha256", sha256));
    }

    private void check(Scoring scoring) {
        finite("scoring.decoderWeight", scoring.decoderWeight());
        finite("scoring.cosineWeight", scoring.cosineWeight());
        finite("scoring.bias", scoring.bias());
        finite("scoring.candidateCutoff", scoring.candidateCutoff());
        finite("scoring.candidatePriorWeight", scoring.candidatePriorWeight());
        expect(
                scoring.defaultThreshold() >= 0 && scoring.defaultThreshold() <= 1,
                "scoring.defaultThreshold",
                "0 to 1",
                scoring.defaultThreshold());
        expect(scoring.topK() >= 1, "scoring.topK", "1 or more", scoring.topK());
    }

    private void check(SelfTest test) {
        checksum("selfTest.sha256", test.sha256());
        expect(test.images() >= 1, "selfTest.images", "1 or more", test.images());
        expect(!test.labels().isEmpty(), "selfTest.labels", "at least one", "none");
        expect(test.tolerance() > 0, "selfTest.tolerance", "above 0", test.tolerance());
        expect(
                test.scores().size() == test.images(),
                "selfTest.scores",
                test.images() + " rows, one per image",
                test.scores().size() + " rows");
        for (List<Double> row : test.scores()) {
            expect(
                    row.size() == test.labels().size(),
                    "selfTest.scores",
                    test.labels().size() + " scores per row, one per label",
                    row.size() + " scores");
        }
    }

    private void checksum(String field, String value) {
        expect(
                Sha256.isWellFormed(value) && value.equals(value.toLowerCase(Locale.ROOT)),
                field,
                "64 lower-case hexadecimal digits",
                "\"" + value + "\"");
    }

    private void finite(String field, double value) {
        expect(Double.isFinite(value), field, "a finite number", value);
    }

    private void expect(boolean fulfilled, String field, String expected, Object found) {
        if (!fulfilled) {
            throw new BundleException(location, FILE, field + ": " + expected, String.valueOf(found));
        }
    }
}
