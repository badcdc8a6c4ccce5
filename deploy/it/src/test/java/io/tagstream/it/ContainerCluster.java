/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Broker and registry in containers. System properties:
 *
 * <ul>
 *   <li>{@code it.kafka.image}: {@code apache/kafka} or an image that starts in the same way; default
 *       {@value #KAFKA_IMAGE}
 *   <li>{@code it.registry.image}: a registry with Confluent's API; default {@value #REGISTRY_IMAGE}. Confluent's own
 *       ({@code confluentinc/cp-schema-registry}) needs no further settings
 *   <li>{@code it.registry.port}, {@code it.registry.path}: port in the container and path of Confluent's API; default
 *       8080 and {@code /apis/ccompat/v7} for an image with apicurio in its name, 8081 and none for others
 * </ul>
 */
final class ContainerCluster implements TestCluster {
    static final String KAFKA_IMAGE = "apache/kafka:4.3.1";
    static final String REGISTRY_IMAGE = "apicurio/apicurio-registry:3.3.3";

    private static final String KAFKA_IN_NETWORK = "kafka:19092";
    private static final Duration START_TIMEOUT = Duration.ofMinutes(2);

    private final Network network;
    private final KafkaContainer kafka;
    private final GenericContainer<?> registry;
    private final String registryUrl;

    ContainerCluster() throws IOException {
        requireEngine();
        String image = System.getProperty("it.registry.image", REGISTRY_IMAGE);
        boolean apicurio = image.contains("apicurio");
        int port = Integer.getInteger("it.registry.port", apicurio ? 8080 : 8081);
        String path = System.getProperty("it.registry.path", apicurio ? "/apis/ccompat/v7" : "");

        network = Network.newNetwork();
        kafka = new KafkaContainer(DockerImageName.parse(System.getProperty("it.kafka.image", KAFKA_IMAGE))
                        .asCompatibleSubstituteFor("apache/kafka"))
                .withNetwork(network)
                .withListener(KAFKA_IN_NETWORK)
                .withEnv("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
                .withEnv("KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "1")
                .withStartupTimeout(START_TIMEOUT);
        registry = new GenericContainer<>(DockerImageName.parse(image))
                .withNetwork(network)
                .withExposedPorts(port)
                .withEnv("SCHEMA_REGISTRY_HOST_NAME", "registry")
                .withEnv("SCHEMA_REGISTRY_LISTENERS", "http://0.0.0.0:" + port)
                .withEnv("SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS", "PLAINTEXT://" + KAFKA_IN_NETWORK)
                .waitingFor(Wait.forHttp(path + "/subjects").forPort(port).withStartupTimeout(START_TIMEOUT));
        try {
            kafka.start();
            registry.start();
            registryUrl = "http://" + registry.getHost() + ":" + registry.getMappedPort(port) + path;
            requireBackwardCompatibility(registryUrl);
        } catch (IOException | RuntimeException failed) {
            close();
            throw failed;
        }
    }

    private static void requireEngine() {
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            throw new IllegalStateException(
                    "it.environment is 'containers', but no Docker engine answers (DOCKER_HOST is "
                            + System.getenv("DOCKER_HOST")
                            + "): start one, or leave it.environment out for the embedded broker");
        }
    }

    /** Sets a registry, whose default may differ, to the compatibility that Tagstream's contracts require. */
    static void requireBackwardCompatibility(String registryUrl) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(registryUrl + "/config"))
                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                .PUT(HttpRequest.BodyPublishers.ofString("{\"compatibility\": \"BACKWARD_TRANSITIVE\"}"))
                .build();
        try {
            HttpResponse<String> response =
                    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IOException("The registry at " + registryUrl + " refused the compatibility level: "
                        + response.statusCode() + ": " + response.body());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while configuring the registry at " + registryUrl, interrupted);
        }
    }

    @Override
    public String bootstrapServers() {
        return kafka.getBootstrapServers();
    }

    @Override
    public String registryUrl() {
        return registryUrl;
    }

    @Override
    public void close() {
        registry.close();
        kafka.close();
        network.close();
    }
}
