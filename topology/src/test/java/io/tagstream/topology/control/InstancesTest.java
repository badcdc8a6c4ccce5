/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.BundleRelease;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InstancesTest {
    @ParameterizedTest
    @CsvSource({"everyday, 1.3.0, 5", "clip-vit-b32, 2.0-rc.1, 12345678901"})
    void shouldReadTheBundleFromTheClientIdOfALabelEncoder(String id, String version, long generation) {
        BundleRelease bundle = new BundleRelease(id, version, generation);
        String clientId = Instances.clientId("tagstream-labels-0123456789abcdef-uuid", bundle);
        assertThat(Instances.bundle(clientId + "-StreamThread-1-consumer")).contains(bundle);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tagstream-labels-0123456789abcdef-uuid-StreamThread-1-consumer",
                "x@a@b@c-StreamThread-1-consumer",
                "consumer"
            })
    void shouldNotReadABundleFromOtherClientIds(String clientId) {
        assertThat(Instances.bundle(clientId)).isEmpty();
    }

    @Test
    void shouldTellApartTheGenerationsOfABundle() {
        BundleRelease first = new BundleRelease("everyday", "1", 1L);
        BundleRelease second = new BundleRelease("everyday", "1", 2L);
        assertThat(Instances.clientId("x", first)).isNotEqualTo(Instances.clientId("x", second));
    }
}
