/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import static org.junit.jupiter.api.Assumptions.abort;

import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Volume;
import io.tagstream.it.TestCluster;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * The container image in a container without rights: a read-only file system, a {@code /tmp} without programs, no
 * capabilities, and a new volume for the state. It is in the network of this machine, where the cluster is.
 */
final class ImageContainer implements AutoCloseable {
    /** System property: the image to test. Without it, its tests are skipped. */
    static final String IMAGE = "it.image";

    /** Where the image has the sample photos. */
    static final String SAMPLES = "/opt/tagstream/samples";

    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final int MEMORY = 1536;

    private final GenericContainer<?> container;
    private final int port;

    private ImageContainer(GenericContainer<?> container, int port) {
        this.container = container;
        this.port = port;
    }

    /** Starts {@code tagstream run} and waits until it logs a note; the caller closes it. */
    static ImageContainer run(TestCluster cluster, String note) throws IOException {
        return run(cluster, note, MEMORY, Map.of());
    }

    /** The same with so many MiB of memory, and with more variables in the environment. */
    static ImageContainer run(TestCluster cluster, String note, int memory, Map<String, String> variables)
            throws IOException {
        String image = System.getProperty(IMAGE);
        if (image == null) {
            return abort("no container image to test; build one with -Pimage and name it with -D" + IMAGE);
        }
        int port = freePort();
        GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(image))
                .withNetworkMode("host")
                .withTmpFs(Map.of("/tmp", "rw,noexec,nosuid,size=256m"))
                .withEnv(Map.of(
                        "TAGSTREAM_BOOTSTRAP_SERVERS",
                        cluster.bootstrapServers(),
                        "TAGSTREAM_SCHEMA_REGISTRY_URL",
                        cluster.registryUrl(),
                        "TAGSTREAM_FETCH_FILE_ROOTS",
                        SAMPLES,
                        "TAGSTREAM_HTTP_HOST",
                        "127.0.0.1",
                        "TAGSTREAM_HTTP_PORT",
                        Integer.toString(port),
                        "TAGSTREAM_STATE_DIR",
                        "/state/tagstream"))
                .withEnv(variables)
                .withCreateContainerCmdModifier(command -> command.withVolumes(new Volume("/state"))
                        .getHostConfig()
                        .withReadonlyRootfs(true)
                        .withCapDrop(Capability.ALL)
                        .withSecurityOpts(List.of("no-new-privileges"))
                        .withMemory((long) memory << 20)
                        .withMemorySwap((long) memory << 20))
                .waitingFor(Wait.forLogMessage(".*" + note + ".*", 1).withStartupTimeout(PATIENCE));
        ImageContainer started = new ImageContainer(container, port);
        try {
            container.start();
        } catch (RuntimeException e) {
            started.close();
            throw e;
        }
        return started;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Standard output and error so far. */
    String log() {
        return container.getLogs();
    }

    /** Runs a program in the container and returns its exit code. */
    int run(String... command) throws IOException, InterruptedException {
        return container.execInContainer(command).getExitCode();
    }

    /** The value of a metric without labels or, with several lines, of the first. */
    double metric(String name) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .body()
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElse(0);
    }

    /** Ends the process with SIGKILL. */
    void kill() {
        container.getDockerClient().killContainerCmd(container.getContainerId()).exec();
    }

    /** Starts the container again after its end. */
    void startAgain() {
        container
                .getDockerClient()
                .startContainerCmd(container.getContainerId())
                .exec();
    }

    /** Stops it as {@code docker stop} does, with SIGKILL after the grace, and returns the exit code. */
    int stop(Duration grace) {
        container
                .getDockerClient()
                .stopContainerCmd(container.getContainerId())
                .withTimeout((int) grace.toSeconds())
                .exec();
        return exitCode();
    }

    /** Waits for the process to end by itself and returns the exit code. */
    int awaitEnd() {
        Awaitility.await("the container ends").atMost(PATIENCE).until(() -> !container.isRunning());
        return exitCode();
    }

    private int exitCode() {
        return container
                .getDockerClient()
                .inspectContainerCmd(container.getContainerId())
                .exec()
                .getState()
                .getExitCodeLong()
                .intValue();
    }

    @Override
    public void close() {
        container.close();
    }
}
