/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription;
import io.tagstream.model.bundle.BundleDescription.Decoder;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.Resize;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DecoderCostTest {
    private static final int MOST = 64;

    @Test
    void shouldCountTheRowThatTheBundledDecoderAdds() {
        BundleDescription everyday =
                Bundle.load("classpath:io/tagstream/bundles/everyday").description();
        DecoderCost cost = new DecoderCost(everyday.image(), everyday.decoder());
        // measured on one core: 0.43 ms for 1 image and 5 labels, 3.2 ms for 8 images and 20, 4.0 ms for 8 and 30
        long oneByOne = 8 * cost.ofRun(1, 5);
        assertThat(cost.ofRun(8, 20)).isLessThan(oneByOne);
        assertThat(cost.ofRun(8, 30)).isGreaterThan(oneByOne);
        assertThat(cost.imagesPerPart(1, MOST)).isEqualTo(MOST);
        assertThat(cost.imagesPerPart(400, MOST)).isBetween(8, 12);
        assertThat(cost.imagesPerPart(100_000, MOST)).isEqualTo(4);
    }

    @Test
    void shouldGainNothingByDecodingTogetherWhereTheDecoderAddsNoRow() {
        DecoderCost cost = cost(49, 256);
        assertThat(cost.ofRun(8, 5)).isEqualTo(8 * cost.ofRun(1, 5));
        assertThat(cost.imagesPerPart(100_000, MOST)).isEqualTo(1);
    }

    @Test
    void shouldHaveOthersWaitForFewerImagesOfAWiderDecoder() {
        assertThat(cost(49, 768).imagesPerPart(100, MOST))
                .isLessThan(cost(49, 256).imagesPerPart(100, MOST) / 4);
        assertThat(cost(197, 768).imagesPerPart(1, MOST)).isBetween(5, 10);
    }

    @Test
    void shouldCostNothingOnTopWithoutADecoder() {
        DecoderCost cost = new DecoderCost(image(0, 0), Optional.empty());
        assertThat(cost.ofRun(8, 5)).isEqualTo(8 * cost.ofRun(1, 5));
        assertThat(cost.imagesPerPart(0, MOST)).isEqualTo(MOST);
        assertThat(cost.imagesPerPart(10_000, MOST)).isEqualTo(MOST);
        assertThat(cost.imagesPerPart(1_000_000, MOST)).isBetween(1, 5);
    }

    private static DecoderCost cost(int tokens, int width) {
        return new DecoderCost(image(tokens, width), Optional.of(new Decoder("decoder.onnx", "", 0)));
    }

    private static Image image(int tokens, int width) {
        return new Image("image_encoder.onnx", "", 224, Resize.SQUASH, tokens, width, Optional.empty(), 384);
    }
}
