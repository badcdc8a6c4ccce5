/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.state.TaskProgress;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.FakeModelRuntime;
import org.junit.jupiter.api.Test;

class ModelSuccessionTest {
    private static final TaskProgress NOTHING_YET = new TaskProgress(-1L, 0L, "", 0L);
    private static final TaskProgress EVERYDAY_5 = new TaskProgress(7L, 5L, "everyday", 0L);

    @Test
    void shouldLetReleasesOfABundleFollowEachOther() {
        assertThat(instance("everyday", 5, 0).refusal(NOTHING_YET)).isEmpty();
        assertThat(instance("everyday", 5, 0).refusal(EVERYDAY_5)).isEmpty();
        assertThat(instance("everyday", 6, 0).refusal(EVERYDAY_5)).isEmpty();
    }

    @Test
    void shouldRefuseAnEarlierReleaseAndSayHowToGoBackToIt() {
        assertThat(instance("everyday", 4, 0).refusal(EVERYDAY_5))
                .hasValueSatisfying(wait -> assertThat(wait.detail())
                        .contains(
                                "bundle everyday of generation 5;",
                                "this instance has bundle everyday of generation 4",
                                "(model.bundle)",
                                "start every instance with it and with model.switch=1"));
    }

    @Test
    void shouldRefuseAnotherBundleWhateverItsGeneration() {
        assertThat(instance("clip", 1, 0).refusal(EVERYDAY_5)).isPresent();
        assertThat(instance("clip", 9, 0).refusal(EVERYDAY_5)).isPresent();
    }

    @Test
    void shouldSwitchThereAndBackAndNeverToAndFro() {
        ModelSuccession clip = instance("clip", 1, 1);
        assertThat(clip.refusal(EVERYDAY_5)).isEmpty();
        TaskProgress switched = clip.follow(EVERYDAY_5, 8);
        assertThat(switched).isEqualTo(new TaskProgress(8L, 1L, "clip", 1L));
        assertThat(instance("clip", 2, 1).refusal(switched)).isEmpty();

        assertThat(instance("everyday", 5, 0).refusal(switched))
                .hasValueSatisfying(wait -> assertThat(wait.detail())
                        .contains(
                                "bundle clip of generation 1 with model.switch=1;",
                                "bundle everyday of generation 5 and model.switch=0",
                                "or a later release of it (model.bundle) with model.switch=1;",
                                "with it and with model.switch=2"));
        assertThat(instance("everyday", 5, 1).refusal(switched)).isPresent();

        ModelSuccession back = instance("everyday", 5, 2);
        assertThat(back.refusal(switched)).isEmpty();
        assertThat(clip.refusal(back.follow(switched, 8))).isPresent();
    }

    @Test
    void shouldRefuseTheBundleSwitchedToWithoutTheNumber() {
        assertThat(instance("clip", 1, 0).refusal(new TaskProgress(8L, 1L, "clip", 1L)))
                .hasValueSatisfying(wait -> assertThat(wait.detail()).contains("with model.switch=1;"));
    }

    @Test
    void shouldTakeOverWithEveryStartWhereTheOperatorSaysSo() {
        ModelSuccession local = instance("clip", 1, -1);
        TaskProgress switched = new TaskProgress(7L, 5L, "everyday", 3L);

        assertThat(local.refusal(switched)).isEmpty();
        assertThat(local.follow(switched, 6)).isEqualTo(new TaskProgress(7L, 1L, "clip", 3L));
    }

    @Test
    void shouldGoByTheGenerationWhereAnEarlierVersionStoredNoId() {
        TaskProgress earlier = new TaskProgress(7L, 5L, "", 0L);

        assertThat(instance("everyday", 5, 0).refusal(earlier)).isEmpty();
        assertThat(instance("clip", 1, 0).refusal(earlier))
                .hasValueSatisfying(wait -> assertThat(wait.detail()).contains("by a bundle of generation 5;"));
    }

    private static ModelSuccession instance(String id, long generation, long switches) {
        ModelDescription model = FakeModelRuntime.describe(id, id + "-" + generation, generation, "text-1");
        return new ModelSuccession(model, switches);
    }
}
