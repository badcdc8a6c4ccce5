/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import io.tagstream.model.FailureReason;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An attacker's input, and how it must end.
 *
 * @param group the class of attack
 * @param name what it is
 * @param input gives the URI to submit, given the attacker's own server
 * @param bytes what the attacker's server delivers, if nothing else matters
 * @param expected how it must end
 */
record HostileCase(Group group, String name, Input input, Optional<byte[]> bytes, Expected expected) {

    HostileCase(Group group, String name, Input input, Expected expected) {
        this(group, name, input, Optional.empty(), expected);
    }

    /** The classes of hostile input, as the page on security lists them. */
    enum Group {
        ADDRESSES("addresses of this machine and of private networks"),
        NAMES("names that resolve to them"),
        REDIRECTS("redirects to them, and out of HTTP"),
        FILES("files outside the roots"),
        RESPONSES("endless and broken HTTP responses"),
        SLOWNESS("slow HTTP responses"),
        TYPES("content that is not what it says"),
        BOMBS("decompression bombs"),
        LIES("headers that lie"),
        ANIMATIONS("animations and pages"),
        METADATA("garbage in EXIF, ICC and text"),
        TEXT("control characters in URIs and answers");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    /** Prepares the input. */
    interface Input {
        String uri(HostileServer server) throws Exception;
    }

    /** One of two ends; every case has one. */
    sealed interface Expected permits Decoded, Refused {}

    /** It is decoded as an image. */
    record Decoded(int width, int height) implements Expected {}

    /** It fails with one of the reasons and a message that contains the texts. */
    record Refused(Set<FailureReason> reasons, List<String> message) implements Expected {
        @Override
        public String toString() {
            return reasons + " " + message;
        }
    }

    static Decoded decoded(int width, int height) {
        return new Decoded(width, height);
    }

    static Refused refused(FailureReason reason, String... message) {
        return new Refused(Set.of(reason), List.of(message));
    }

    static HostileCase of(Group group, String name, String uri, Expected expected) {
        return new HostileCase(group, name, server -> uri, expected);
    }

    /** Bytes that the attacker's server delivers. */
    static HostileCase ofBytes(Group group, String name, byte[] bytes, Expected expected) {
        return new HostileCase(group, name, server -> server.serve(bytes, "image/jpeg"), Optional.of(bytes), expected);
    }

    @Override
    public String toString() {
        return name;
    }
}
