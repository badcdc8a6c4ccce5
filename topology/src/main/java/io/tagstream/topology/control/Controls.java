/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.TagPolicy;
import io.tagstream.model.ModelDescription;
import io.tagstream.topology.config.TagstreamConfig;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** What control records say, and how each follows from the one before. */
public final class Controls {
    /** The most bundles that a record remembers. */
    private static final int MOST_EARLIER = 20;

    private Controls() {}

    /** The release of a bundle that a model was loaded from. */
    public static BundleRelease release(ModelDescription model) {
        return new BundleRelease(model.id(), model.bundleVersion(), model.generation());
    }

    /** The policy that a configuration asks for. */
    public static TagPolicy policy(TagstreamConfig config) {
        return new TagPolicy(
                config.getDouble(TagstreamConfig.TAGS_MIN_SCORE),
                config.getInt(TagstreamConfig.TAGS_TOP_K),
                config.getDouble(TagstreamConfig.IMAGE_SCORES_FLOOR));
    }

    /** The record that puts a bundle and a policy in force; empty if both are in force already. */
    public static Optional<ClusterControl> next(
            ClusterControl before, BundleRelease bundle, TagPolicy policy, Instant now) {
        boolean sameBundle = bundle.equals(before.getBundle());
        if (sameBundle && policy.equals(before.getPolicy())) {
            return Optional.empty();
        }
        List<BundleRelease> earlier = new ArrayList<>(before.getEarlier());
        if (!sameBundle) {
            earlier.remove(bundle);
            earlier.add(0, before.getBundle());
        }
        List<BundleRelease> latest = List.copyOf(earlier.subList(0, Math.min(earlier.size(), MOST_EARLIER)));
        return Optional.of(new ClusterControl(before.getRevision() + 1, bundle, policy, latest, now));
    }

    /** What a configuration asks for and the policy in force does not do; empty if there is nothing. */
    public static Optional<String> ignored(TagstreamConfig config, TagPolicy inForce) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put(TagstreamConfig.TAGS_MIN_SCORE, inForce.getMinScore());
        values.put(TagstreamConfig.TAGS_TOP_K, inForce.getTopK());
        values.put(TagstreamConfig.IMAGE_SCORES_FLOOR, inForce.getScoresFloor());
        List<String> ignored = values.keySet().stream()
                .filter(key -> config.originals().containsKey(key)
                        && !Objects.equals(config.values().get(key), values.get(key)))
                .map(key -> key + "=" + config.values().get(key))
                .toList();
        return ignored.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "The configuration's %s is not in force: the cluster's policy is %s; change it with tagstream policy set"
                                .formatted(String.join(", ", ignored), described(inForce)));
    }

    /** Such as "everyday 1.2.0 (generation 5)". */
    public static String named(BundleRelease bundle) {
        return "%s %s (generation %d)".formatted(bundle.getId(), bundle.getVersion(), bundle.getGeneration());
    }

    /** Such as "min score 0.4, top k of the bundle, scores floor 0.05". */
    public static String described(TagPolicy policy) {
        return "min score %s, top k %s, scores floor %s"
                .formatted(
                        policy.getMinScore() == null ? "of the labels" : policy.getMinScore(),
                        policy.getTopK() == null ? "of the bundle" : policy.getTopK(),
                        policy.getScoresFloor());
    }
}
