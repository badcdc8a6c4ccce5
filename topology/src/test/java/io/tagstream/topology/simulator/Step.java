/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.TagPolicy;

/**
 * A step of a history. Its numbers are taken modulo what there is to choose from. So every step makes sense in every
 * state, and a history without some of its steps is a history, too.
 */
record Step(Deed deed, int a, int b, int c) {
    /** What can happen. Weights say how often, in relation to each other. */
    enum Deed {
        /** Image a is submitted with URI b. */
        SUBMIT(14),
        /** Image a is deleted. */
        DELETE(4),
        /** A record that nobody can read is submitted for image a. */
        SUBMIT_GARBAGE(1),
        /** Image a is submitted with URI b, with one of many schemas, c, that only the registry knows. */
        SUBMIT_FOREIGN(3),
        /** The schema registry goes away, or comes back if a is a multiple of 3. */
        REGISTRY(3),
        /** Label a is changed, as b and c say. */
        EDIT_LABEL(7),
        /** The same, and it is encoded and read wherever somebody works, while images stay as they are. */
        EDIT_IN_FORCE(5),
        /** a milliseconds pass, from a list of lengths. */
        PASS(10),
        /** The image thread of instance a has a turn with up to b records of each task. */
        RUN(18),
        /** The image thread of instance a has b turns, and the clock goes on. */
        RUN_ON(8),
        /** The image thread of instance a commits. */
        COMMIT(10),
        /** The transaction of instance a's image thread (or label thread, for an odd b) is aborted. */
        ABORT(3),
        /** The label encoder of instance a has b turns, and commits for an even c. */
        ENCODE(9),
        /** Instance a reads b records of label-embeddings. */
        READ_VOCABULARY(7),
        /** The model of instance a scores the work at place b. */
        SCORE(6),
        /** The model of instance a scores all its work. */
        SCORE_ALL(4),
        /** The model of instance a completes the work at place b. */
        LAND(12),
        /** The model of instance a completes all its work, the newest first for an odd b. */
        LAND_ALL(6),
        /** The work at place b of instance a's model fails. */
        FAIL(2),
        /** Instance a dies. */
        KILL(2),
        /** Instance a stops in order. */
        STOP(1),
        /** Instance a starts, if it is not running. */
        START(4),
        /** Instance a freezes. */
        FREEZE(2),
        /** Instance a goes on after it was frozen. */
        THAW(3),
        /** The group gives the tasks of instance a to the other: its session has timed out. */
        EXPIRE(2),
        /** Task a goes to the other instance, in order. */
        MOVE(3),
        /** Instance a restarts with the newest release of the model, or a newer one for an odd b; it may have to wait. */
        UPGRADE(3),
        /** The bundle of instance a is put in force. */
        USE(3),
        /** The tag policy is changed, as b and c say. */
        CHANGE_POLICY(3),
        /** Instance a reads the control record. */
        READ_CONTROL(5),
        /** Store a of partition b is lost, with its changelog. */
        LOSE_STORE(2),
        /** The vocabulary's topic, or label-embeddings for an odd a, is deleted and recreated. */
        LOSE_TOPIC(1),
        /** label-embeddings is compacted. */
        COMPACT(1),
        /** Everything works for a rounds. */
        CALM(3);

        private final int weight;

        Deed(int weight) {
            this.weight = weight;
        }

        int weight() {
            return weight;
        }
    }

    private static final int IMAGES = 9;
    private static final int URIS = 20;
    private static final int LABELS = 7;
    private static final int FOREIGN_SCHEMAS = 30;
    private static final double[] FLOORS = {0, 0.05, 0.4, 0.8};
    private static final int[] LENGTHS = {1, 10, 10, 20, 50, 100, 500, 1_000, 11_000};

    String image() {
        return "image-" + a % IMAGES;
    }

    String uri() {
        int uri = b % (URIS + 2);
        if (uri == URIS) {
            return "fail:FETCH_NOT_FOUND";
        }
        return uri > URIS ? "fake:word+other" : "any:" + uri;
    }

    int foreignSchema() {
        return SimulatedRegistry.FIRST_FOREIGN + c % FOREIGN_SCHEMAS;
    }

    boolean registryLeaves() {
        return a % 3 != 0;
    }

    String label() {
        return "label-" + a % LABELS;
    }

    int instance() {
        return a % 2;
    }

    /** A length of time. */
    int millis() {
        return LENGTHS[a % LENGTHS.length];
    }

    /** A tag policy. */
    TagPolicy policy() {
        return new TagPolicy(b % 3 == 0 ? c % 100 / 100.0 : null, 1 + c % 8, FLOORS[c / 100 % FLOORS.length]);
    }

    /** Whether a topic that is lost is the vocabulary; else it is label-embeddings. */
    boolean losesVocabulary() {
        return a % 2 == 0;
    }

    /** For how long nobody notices that a topic was lost. */
    int millisUnnoticed() {
        return LENGTHS[b % LENGTHS.length];
    }

    /** The step in words, as far as its numbers alone say what happens. */
    @Override
    public String toString() {
        return deed
                + switch (deed) {
                    case SUBMIT -> " %s %s".formatted(image(), uri());
                    case SUBMIT_FOREIGN -> " %s %s with schema %d".formatted(image(), uri(), foreignSchema());
                    case REGISTRY -> registryLeaves() ? " leaves" : " returns";
                    case DELETE, SUBMIT_GARBAGE -> " " + image();
                    case EDIT_LABEL, EDIT_IN_FORCE -> " %s how %d %d".formatted(label(), b % 8, c % 100);
                    case PASS -> " %d ms".formatted(millis());
                    case CHANGE_POLICY -> " to " + policy();
                    case MOVE -> " task " + a;
                    case LOSE_STORE -> " %d %d".formatted(a, b);
                    case LOSE_TOPIC -> losesVocabulary() ? " of labels" : " of embeddings";
                    case CALM -> " for %d rounds".formatted(1 + a % 12);
                    case COMPACT -> "";
                    default -> " instance-%d %d %d".formatted(instance(), b % 1_000, c % 1_000);
                };
    }
}
