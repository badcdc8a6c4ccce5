/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import io.tagstream.avro.TagEvent;
import io.tagstream.model.image.ImageSources;
import io.tagstream.topology.vocabulary.LabelLimits;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * An image as searched and shown.
 *
 * @param sha256 the SHA-256 of its bytes, as 64 lower-case hexadecimal digits
 * @param width in pixels, upright
 * @param height in pixels, upright
 * @param tags best first
 * @param attributes the uploader's
 * @param model id and version of the model that tagged it
 * @param cause why it was tagged, as in tag events
 */
public record ImageDocument(
        String id,
        String uri,
        String sha256,
        int width,
        int height,
        List<TagScore> tags,
        Map<String, String> attributes,
        Model model,
        long vocabularyEpoch,
        String cause,
        Instant taggedAt) {
    /** A data: URI holds the image itself; this many characters are enough to recognise it. */
    private static final int LONGEST_DATA_URI = 64;

    public ImageDocument {
        tags = List.copyOf(tags);
        attributes = Map.copyOf(attributes);
    }

    /**
     * A tag.
     *
     * @param score in [0, 1]
     * @param threshold the score that it had to reach
     */
    public record TagScore(String labelId, String name, float score, float threshold) {}

    /** A model. */
    public record Model(String id, String version) {}

    /** The image of a tag event. Tags from before labels had limits are cut to what an index can take. */
    public static ImageDocument of(String id, TagEvent event) {
        return new ImageDocument(
                id,
                shortened(event.getUri()),
                event.getSha256(),
                event.getWidth(),
                event.getHeight(),
                event.getTags().stream()
                        .filter(tag -> LabelLimits.isEmitted(tag.getLabelId()))
                        .map(tag -> new TagScore(
                                tag.getLabelId(), LabelLimits.shown(tag.getName()), tag.getScore(), tag.getThreshold()))
                        .toList(),
                event.getAttributes(),
                new Model(event.getModel().getId(), event.getModel().getVersion()),
                event.getVocabularyEpoch(),
                event.getCause().name(),
                event.getTaggedAt());
    }

    private static String shortened(String uri) {
        return ImageSources.holdsImage(uri) && uri.length() > LONGEST_DATA_URI
                ? uri.substring(0, LONGEST_DATA_URI) + "…"
                : uri;
    }
}
