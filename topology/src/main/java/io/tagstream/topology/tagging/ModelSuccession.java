/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.tagstream.avro.state.TaskProgress;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.waits.Wait;
import io.tagstream.topology.waits.WaitReason;
import java.util.Optional;

/**
 * Whether this instance's model may follow the one that a task has worked with: releases of a bundle follow each other
 * by generation, and any other bundle follows when an operator switches to it ({@link TagstreamConfig#MODEL_SWITCH}).
 * The number of switches only grows, so that instances with different bundles never retag the same images back and
 * forth.
 *
 * <p><i>Threading notes.</i> Immutable.
 */
final class ModelSuccession {
    /** The setting that makes every start switch to its own bundle. */
    private static final long ALWAYS = -1;

    private final ModelDescription model;
    private final long switches;

    ModelSuccession(ModelDescription model, long switches) {
        this.model = model;
        this.switches = switches;
    }

    /** Why a task must wait for a model other than this instance's, and the ways out; empty if it need not wait. */
    Optional<Wait> refusal(TaskProgress last) {
        if (switches == ALWAYS || switches > last.getModelSwitch()) {
            return Optional.empty();
        }
        String id = last.getModelId();
        boolean sameBundle = id.isEmpty() || id.equals(model.id()); // earlier versions of Tagstream stored none
        if (switches == last.getModelSwitch() && sameBundle && model.generation() >= last.getModelGeneration()) {
            return Optional.empty();
        }
        return Optional.of(new Wait(
                WaitReason.OTHER_MODEL,
                ("its images were tagged by %s of generation %d%s; this instance has bundle %s of generation"
                                + " %d and %s=%d. Give this instance that bundle or a later release of it (%s)%s; or, to switch"
                                + " to this instance's bundle, start every instance with it and with %s=%d")
                        .formatted(
                                id.isEmpty() ? "a bundle" : "bundle " + id,
                                last.getModelGeneration(),
                                asSwitched(last),
                                model.id(),
                                model.generation(),
                                TagstreamConfig.MODEL_SWITCH,
                                switches,
                                TagstreamConfig.MODEL_BUNDLE,
                                asSwitched(last),
                                TagstreamConfig.MODEL_SWITCH,
                                last.getModelSwitch() + 1)));
    }

    private static String asSwitched(TaskProgress last) {
        return last.getModelSwitch() == 0
                ? ""
                : " with %s=%d".formatted(TagstreamConfig.MODEL_SWITCH, last.getModelSwitch());
    }

    /** The progress of a task that has now worked with this model. */
    TaskProgress follow(TaskProgress last, long epoch) {
        return new TaskProgress(
                Math.max(epoch, last.getVocabularyEpoch()),
                model.generation(),
                model.id(),
                Math.max(switches, last.getModelSwitch()));
    }
}
