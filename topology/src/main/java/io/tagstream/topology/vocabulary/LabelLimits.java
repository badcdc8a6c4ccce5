/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.vocabulary;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelFailureReason;
import io.tagstream.model.LabelText;
import io.tagstream.topology.config.TagstreamConfig;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PrimitiveIterator;

/**
 * What a label may be, and how many there may be. The label encoder, the console and the command line all ask here, so
 * that what one of them takes the others do not refuse.
 *
 * <p>Ids and names are part of every tag event, which must fit into a record. A label in force stays in force, whatever
 * it is: only what changes about it is held against the limits. So every label can be switched off, and removed.
 *
 * <p>Immutable, thread-safe.
 */
public final class LabelLimits {
    /** The most characters (code points) of an id, a name or a prompt. */
    public static final int LONGEST_TEXT = 500;

    /** The most bytes of an id in tags: with a score, it must fit into the 32,766 bytes of a search index's term. */
    private static final int LARGEST_EMITTED_ID = 32_000;

    /** The start of a text that is too long, in messages. */
    private static final int SHOWN = 60;

    private final int mostLabels;

    private LabelLimits(int mostLabels) {
        this.mostLabels = mostLabels;
    }

    /** The limits of an application. */
    public static LabelLimits of(TagstreamConfig config) {
        return new LabelLimits(config.getInt(TagstreamConfig.VOCABULARY_MAX));
    }

    /**
     * Why a label is refused.
     *
     * @param reason for programs
     * @param message for people: what is wrong, with which value, and what to change
     */
    public record Refusal(LabelFailureReason reason, String message) {}

    /**
     * Why a label is refused; empty if it is not.
     *
     * @param inForce the label with this id that is in force; null if there is none
     */
    public Optional<Refusal> refusal(String id, Label label, Label inForce) {
        return (inForce == null ? badId(id) : Optional.<Refusal>empty())
                .or(() -> hasNameOf(label, inForce) ? Optional.empty() : badName(id, label.getName()))
                .or(() -> hasPromptsOf(label, inForce) ? Optional.empty() : badPrompts(id, label.getPrompts()))
                .or(() -> badThreshold(id, label.getThreshold()));
    }

    /** Why a text is refused as a label's, before the label has an id; empty if it is not. */
    public static Optional<Refusal> refusal(LabelText text) {
        return badName(text.name(), text.name()).or(() -> badPrompts(text.name(), text.prompts()));
    }

    /**
     * Why changes are refused, by the ids of the labels; empty if none is.
     *
     * @param present the labels in force by their ids
     * @param changes labels by their ids, null for a label to remove
     */
    public Map<String, Refusal> refusals(Map<String, Label> present, Map<String, Label> changes) {
        Map<String, Refusal> refusals = new LinkedHashMap<>();
        int labels = present.size() - removed(present, changes);
        for (Map.Entry<String, Label> change : changes.entrySet()) {
            String id = change.getKey();
            Label label = change.getValue();
            if (label == null) {
                continue;
            }
            Optional<Refusal> refusal = refusal(id, label, present.get(id));
            if (refusal.isEmpty() && !present.containsKey(id)) {
                refusal = full(id, labels);
                labels += refusal.isEmpty() ? 1 : 0;
            }
            refusal.ifPresent(found -> refusals.put(id, found));
        }
        return refusals;
    }

    /** Returns changes in an order in which there are never too many labels in between. */
    public Map<String, Label> inOrder(Map<String, Label> present, Map<String, Label> changes) {
        long added =
                changes.keySet().stream().filter(id -> !present.containsKey(id)).count();
        if (present.size() + added <= mostLabels) {
            return changes;
        }
        Map<String, Label> ordered = new LinkedHashMap<>();
        changes.entrySet().stream()
                .filter(change -> change.getValue() == null)
                .forEach(removal -> ordered.put(removal.getKey(), null));
        changes.forEach(ordered::put);
        return ordered;
    }

    private static int removed(Map<String, Label> present, Map<String, Label> changes) {
        return (int) changes.entrySet().stream()
                .filter(change -> change.getValue() == null && present.containsKey(change.getKey()))
                .count();
    }

    /**
     * Why there is no room for a new label; empty if there is.
     *
     * @param labels how many there are without it
     */
    public Optional<Refusal> full(String id, int labels) {
        return labels < mostLabels
                ? Optional.empty()
                : refused(
                        LabelFailureReason.VOCABULARY_FULL,
                        ("there is no room for label %s: the vocabulary has %d labels, and at most %d are allowed;"
                                        + " remove some, or raise %s")
                                .formatted(quoted(id), labels, mostLabels, TagstreamConfig.VOCABULARY_MAX));
    }

    /** By how many labels a vocabulary is too large; 0 if it is not. */
    public int excess(int labels) {
        return Math.max(0, labels - mostLabels);
    }

    /** A name as tags carry it: a longer one was in force before there was a limit, and is cut. */
    public static String shown(String name) {
        return isTooLong(name) ? name.substring(0, name.offsetByCodePoints(0, LONGEST_TEXT - 1)) + "…" : name;
    }

    /** Whether tags can carry an id; one that they cannot carry was in force before there was a limit. */
    public static boolean isEmitted(String id) {
        return id.length() <= LARGEST_EMITTED_ID / 3
                || id.getBytes(StandardCharsets.UTF_8).length <= LARGEST_EMITTED_ID;
    }

    private static boolean hasNameOf(Label label, Label inForce) {
        return inForce != null && label.getName().equals(inForce.getName());
    }

    private static boolean hasPromptsOf(Label label, Label inForce) {
        return inForce != null && label.getPrompts().equals(inForce.getPrompts());
    }

    private static Optional<Refusal> badId(String id) {
        if (LabelText.showsNothing(id)) {
            return refused(
                    LabelFailureReason.BAD_ID,
                    "the label's id %s is empty, or shows nothing; give one that people can see".formatted(quoted(id)));
        }
        return unfit("id", id, LabelFailureReason.BAD_ID, LabelFailureReason.BAD_ID, id);
    }

    private static Optional<Refusal> badName(String id, String name) {
        if (LabelText.showsNothing(name)) {
            return refused(
                    LabelFailureReason.EMPTY_NAME,
                    "the name %s of label %s is empty, or shows nothing; give it the text that people see in tags"
                            .formatted(quoted(name), quoted(id)));
        }
        return unfit("name", id, LabelFailureReason.TEXT_TOO_LONG, LabelFailureReason.BAD_NAME, name);
    }

    private static Optional<Refusal> unfit(
            String what, String id, LabelFailureReason tooLong, LabelFailureReason hidden, String text) {
        if (isTooLong(text)) {
            return tooLong(tooLong, what, id, text);
        }
        PrimitiveIterator.OfInt characters = text.codePoints().iterator();
        while (characters.hasNext()) {
            int character = characters.nextInt();
            if (isHidden(character)) {
                return refused(
                        hidden,
                        ("the %s of label %s contains U+%04X, which is not shown but changes how the text around it is;"
                                        + " leave it out")
                                .formatted(what, quoted(id), character));
            }
        }
        return Optional.empty();
    }

    private static Optional<Refusal> badPrompts(String id, List<String> prompts) {
        if (prompts.size() > LabelText.MOST_PROMPTS) {
            return refused(
                    LabelFailureReason.TOO_MANY_PROMPTS,
                    "label %s has %d prompts; at most %d are allowed"
                            .formatted(quoted(id), prompts.size(), LabelText.MOST_PROMPTS));
        }
        for (String prompt : prompts) {
            if (LabelText.showsNothing(prompt)) {
                return refused(
                        LabelFailureReason.BAD_PROMPT,
                        "label %s has a prompt that is empty, or shows nothing; remove it or fill it in"
                                .formatted(quoted(id)));
            }
            if (isTooLong(prompt)) {
                return tooLong(LabelFailureReason.TEXT_TOO_LONG, "prompt \"" + start(prompt) + "\"", id, prompt);
            }
        }
        return Optional.empty();
    }

    private static Optional<Refusal> badThreshold(String id, Double threshold) {
        return threshold == null || (threshold >= 0 && threshold <= 1)
                ? Optional.empty()
                : refused(
                        LabelFailureReason.BAD_THRESHOLD,
                        "the threshold of label %s is %s; it must be from 0 to 1, or null for the model's"
                                .formatted(quoted(id), threshold));
    }

    private static Optional<Refusal> tooLong(LabelFailureReason reason, String what, String id, String text) {
        return refused(
                reason,
                "the %s of label %s has %d characters; at most %d are allowed; shorten it"
                        .formatted(what, quoted(id), text.codePointCount(0, text.length()), LONGEST_TEXT));
    }

    private static boolean isTooLong(String text) {
        return text.length() > LONGEST_TEXT && text.codePointCount(0, text.length()) > LONGEST_TEXT;
    }

    /** Control characters, half a character, line ends, and marks that turn the direction of the text around them. */
    private static boolean isHidden(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.SURROGATE, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                true;
            case Character.FORMAT ->
                character == 0x061C
                        || character == 0x200E
                        || character == 0x200F
                        || (character >= 0x202A && character <= 0x202E)
                        || (character >= 0x2066 && character <= 0x2069);
            default -> false;
        };
    }

    /**
     * A text as people can read and type it: characters that hide or disturb are written as <code>&#92;uXXXX</code>. So
     * are all characters of a text that shows nothing.
     */
    public static String readable(String text) {
        boolean nothing = LabelText.showsNothing(text);
        StringBuilder readable = new StringBuilder();
        text.codePoints().forEach(character -> {
            if (isHidden(character) || (nothing && character != ' ')) {
                readable.append("\\u%04x".formatted(character));
            } else {
                readable.appendCodePoint(character);
            }
        });
        return readable.toString();
    }

    private static String quoted(String text) {
        return "\"" + start(text) + "\"";
    }

    /** As much of a text as a message has room for. */
    private static String start(String text) {
        boolean whole = text.length() <= SHOWN || text.codePointCount(0, text.length()) <= SHOWN;
        return whole ? readable(text) : readable(text.substring(0, text.offsetByCodePoints(0, SHOWN))) + "…";
    }

    private static Optional<Refusal> refused(LabelFailureReason reason, String message) {
        return Optional.of(new Refusal(reason, message));
    }

    /** Labels that were in force before there were limits, by their ids. */
    public Map<String, Refusal> exceeded(Map<String, Label> inForce) {
        Map<String, Refusal> exceeded = new LinkedHashMap<>();
        inForce.forEach((id, label) ->
                refusal(id, Objects.requireNonNull(label), null).ifPresent(refusal -> exceeded.put(id, refusal)));
        return exceeded;
    }
}
