/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.Excerpt;
import io.tagstream.model.FailureReason;
import io.tagstream.model.ImageException;
import io.tagstream.model.image.ImageSource.Kind;
import io.tagstream.model.image.ImageSource.Place;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The sources that images are read from, and what their URIs say. */
public final class ImageSources {
    private static final List<Kind> KINDS = List.of(FileSource.KIND, HttpSource.KIND, DataSource.KIND);

    private static final Map<String, Kind> KIND_BY_SCHEME = KINDS.stream()
            .flatMap(kind -> kind.schemes().stream().map(scheme -> Map.entry(scheme, kind)))
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));

    private ImageSources() {}

    /** The schemes that a URI can have, lower case, such as {@code https}. */
    public static List<String> schemes() {
        return KINDS.stream().flatMap(kind -> kind.schemes().stream()).toList();
    }

    /** The schemes of URIs that lead to a server, lower case. */
    public static List<String> serverSchemes() {
        return KINDS.stream()
                .filter(kind -> kind.place() == Place.SERVER)
                .flatMap(kind -> kind.schemes().stream())
                .toList();
    }

    /** Whether a URI leads to a server, in a known scheme. */
    public static boolean isOnServer(String uri) {
        return isIn(Place.SERVER, uri);
    }

    /** Whether a URI holds the image itself. It can then be long, and there is nothing to link to. */
    public static boolean holdsImage(String uri) {
        return isIn(Place.URI, uri);
    }

    /** Whether a URI names a file of the machine that reads it. */
    public static boolean isFile(String uri) {
        return isIn(Place.FILE, uri);
    }

    /**
     * The file that a URI names; empty if {@link #isFile} is false, or the URI's path is not possible on this system.
     */
    public static Optional<Path> file(String uri) {
        try {
            return isFile(uri) ? Optional.of(FileSource.path(uri)) : Optional.empty();
        } catch (ImageException e) {
            return Optional.empty();
        }
    }

    /** Who serves the image at a URI; images with one origin share a limit. Empty if the scheme is not known. */
    static String origin(String uri) {
        return find(uri).map(kind -> kind.origin().apply(uri)).orElse("");
    }

    /**
     * The kind of source for a URI.
     *
     * @throws ImageException if its scheme is missing or not known
     */
    static Kind of(String uri) throws ImageException {
        Optional<Kind> kind = find(uri);
        if (kind.isPresent()) {
            return kind.get();
        }
        String scheme = scheme(uri);
        throw new ImageException(
                FailureReason.BAD_REFERENCE,
                scheme.isEmpty()
                        ? "\"%s\" is not a URI; submit %s"
                                .formatted(
                                        Excerpt.of(uri),
                                        Series.of(
                                                KINDS.stream()
                                                        .map(Kind::example)
                                                        .toList(),
                                                "or"))
                        : "\"%s\" has the unknown scheme \"%s\"; the known schemes are %s"
                                .formatted(Excerpt.of(uri), Excerpt.of(scheme), Series.of(schemes(), "and")));
    }

    /** Opens every kind of source; they share the limits on bytes. */
    static Map<Kind, ImageSource> open(FetchOptions options, AddressPolicy addresses) {
        LimitedReader reader = new LimitedReader(options);
        return KINDS.stream()
                .collect(Collectors.toMap(
                        Function.identity(), kind -> kind.opener().open(options, reader, addresses)));
    }

    private static boolean isIn(Place place, String uri) {
        return find(uri).filter(kind -> kind.place() == place).isPresent();
    }

    private static Optional<Kind> find(String uri) {
        return Optional.ofNullable(KIND_BY_SCHEME.get(scheme(uri)));
    }

    /**
     * The scheme, in lower case; empty if there is none. Avoids {@code java.net.URI}, which would parse all of a data:
     * URI.
     */
    private static String scheme(String uri) {
        int colon = uri.indexOf(':');
        return colon < 0 ? "" : uri.substring(0, colon).toLowerCase(Locale.ROOT);
    }
}
