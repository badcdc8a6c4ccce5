/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.it;

import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Apicurio Registry as a child process, with all ports on the loopback address and schemas in memory. Needs the Maven
 * profile {@code apicurio}, which fetches it, and a JDK of 21 or later: the one in {@code it.registry.jdk}, the running
 * one or the newest in the usual places.
 */
final class ApicurioRegistry implements AutoCloseable {
    /** The system property that the profile sets: the directory with the unpacked registry. */
    static final String DIRECTORY = "it.apicurio.directory";

    private static final int OLDEST_JAVA = 21;
    private static final Duration START_TIMEOUT = Duration.ofMinutes(2);

    private final Process process;
    private final String url;

    private ApicurioRegistry(Process process, String url) {
        this.process = process;
        this.url = url;
    }

    /** The directory where the profile has unpacked the registry. */
    static Path distribution() {
        return Path.of(System.getProperty(DIRECTORY));
    }

    /** A JDK that can run the registry, if there is one. */
    static Optional<Path> jdk() throws IOException {
        String configured = System.getProperty("it.registry.jdk");
        if (configured != null) {
            return Optional.of(Path.of(configured));
        }
        if (Runtime.version().feature() >= OLDEST_JAVA) {
            return Optional.of(Path.of(System.getProperty("java.home")));
        }
        Path usual = Path.of("/usr/lib/jvm");
        if (!Files.isDirectory(usual)) {
            return Optional.empty();
        }
        try (Stream<Path> candidates = Files.list(usual)) {
            return candidates.filter(ApicurioRegistry::isNewEnough).findFirst();
        }
    }

    private static boolean isNewEnough(Path home) {
        try {
            return Files.readAllLines(home.resolve("release")).stream()
                    .filter(line -> line.startsWith("JAVA_VERSION="))
                    .map(line -> line.replaceAll("[^0-9.]", ""))
                    .anyMatch(version -> Runtime.Version.parse(version).feature() >= OLDEST_JAVA);
        } catch (IOException | IllegalArgumentException noJdk) {
            return false;
        }
    }

    /**
     * Starts the registry and returns when it accepts requests.
     *
     * @param distribution unpacked distribution
     * @param jdk home of a JDK of 21 or later
     * @param log file for its output
     */
    static ApicurioRegistry start(Path distribution, Path jdk, File log) throws IOException {
        int port = freePort();
        ProcessBuilder builder = new ProcessBuilder(
                jdk.resolve("bin/java").toString(),
                "-Xmx512m",
                "-jar",
                distribution.resolve("quarkus-run.jar").toString());
        builder.environment()
                .putAll(Map.of(
                        "QUARKUS_HTTP_HOST",
                        "127.0.0.1",
                        "QUARKUS_HTTP_PORT",
                        Integer.toString(port),
                        "QUARKUS_MANAGEMENT_HOST",
                        "127.0.0.1",
                        "QUARKUS_MANAGEMENT_PORT",
                        Integer.toString(freePort())));
        Process process = builder.redirectErrorStream(true).redirectOutput(log).start();
        ApicurioRegistry registry = new ApicurioRegistry(process, "http://127.0.0.1:" + port + "/apis/ccompat/v7");
        try {
            registry.awaitReady(log);
            ContainerCluster.requireBackwardCompatibility(registry.url());
            return registry;
        } catch (IOException | RuntimeException failed) {
            registry.close();
            throw failed;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitReady(File log) throws IOException {
        try {
            Awaitility.await().atMost(START_TIMEOUT).until(() -> !process.isAlive() || answers());
        } catch (ConditionTimeoutException timeout) {
            throw new IOException("Apicurio Registry is not ready after " + START_TIMEOUT + "; see " + log, timeout);
        }
        if (!process.isAlive()) {
            throw new IOException("Apicurio Registry ended with exit code " + process.exitValue() + "; see " + log);
        }
    }

    private boolean answers() {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create(url + "/subjects").toURL().openConnection();
            connection.setConnectTimeout(1_000);
            connection.setReadTimeout(5_000);
            return connection.getResponseCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** Base URL of the registry's Confluent API. */
    String url() {
        return url;
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
