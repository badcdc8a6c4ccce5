/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.control;

import io.tagstream.avro.BundleRelease;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelEncoderTopology;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;

/**
 * The instances of an application that run, and the bundles that they have.
 *
 * <p>Every instance has a label encoder, also while it waits because another bundle is in force. Its consumer's client id
 * says the bundle, and the cluster tells the client ids of a group's members. So nobody has to reach the instances
 * themselves.
 */
public final class Instances {
    private static final int PATIENCE_MILLIS = 10_000;
    private static final Pattern CLIENT_ID = Pattern.compile("@([^@]+)@([^@]+)@(-?\\d+)-StreamThread-\\d+-consumer");

    private Instances() {}

    /**
     * An instance.
     *
     * @param host its address, as Kafka's brokers see it
     * @param bundle empty if the instance does not say which bundle it has
     */
    public record Instance(String host, Optional<BundleRelease> bundle) {}

    /** The client id of a label encoder. The id and version of a bundle have no @. */
    public static String clientId(String base, BundleRelease bundle) {
        return "%s@%s@%s@%d".formatted(base, bundle.getId(), bundle.getVersion(), bundle.getGeneration());
    }

    static Optional<BundleRelease> bundle(String clientId) {
        Matcher found = CLIENT_ID.matcher(clientId);
        return found.find()
                ? Optional.of(new BundleRelease(found.group(1), found.group(2), Long.parseLong(found.group(3))))
                : Optional.empty();
    }

    /**
     * The instances that run, by host. One that has died counts until its session ends.
     *
     * @throws KafkaException if the cluster does not answer or does not allow it
     */
    public static List<Instance> running(TagstreamConfig config) {
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(AdminClientConfig.CLIENT_ID_CONFIG, config.applicationId() + "-instances");
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MILLIS);
        Pattern encoders = Pattern.compile(
                Pattern.quote(LabelEncoderTopology.applicationId(config.applicationId(), "")) + "[0-9a-f]+");
        try (Admin admin = Admin.create(settings)) {
            List<String> groups = await(admin.listGroups(ListGroupsOptions.forConsumerGroups())
                            .all())
                    .stream()
                    .map(GroupListing::groupId)
                    .filter(group -> encoders.matcher(group).matches())
                    .toList();
            return await(admin.describeConsumerGroups(groups).all()).values().stream()
                    .flatMap(group -> group.members().stream())
                    .map(Instances::instance)
                    .sorted(Comparator.comparing(Instance::host))
                    .toList();
        }
    }

    private static Instance instance(MemberDescription member) {
        String host = member.host().startsWith("/") ? member.host().substring(1) : member.host();
        return new Instance(host, bundle(member.clientId()));
    }

    private static <T> T await(KafkaFuture<T> answer) {
        try {
            return answer.get(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new KafkaException(e.getCause().getMessage(), e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("the Kafka cluster does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted while asking the Kafka cluster", e);
        }
    }
}
