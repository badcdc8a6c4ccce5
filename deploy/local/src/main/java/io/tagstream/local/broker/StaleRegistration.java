/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.broker;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.utils.Time;

/**
 * The registration that a killed broker leaves with the controller of its own node.
 *
 * <p>Until its session expires, the metadata say that the dead broker still leads its partitions. The next broker would
 * start as their leader and lose them when the session ends. Meanwhile, it would treat transactions that were being
 * committed or aborted as finished, without having written their markers (KAFKA-20734), and a reader of committed
 * records would wait there forever. So the controller is first started alone and told that the broker is gone, which is
 * also quicker than waiting for the session to end.
 */
final class StaleRegistration {
    private static final int TIMEOUT_MILLIS = 30_000;

    private StaleRegistration() {}

    /**
     * Removes a node's registration. No server may run on its directory.
     *
     * @param settings the node's settings; its roles and listeners are replaced
     * @throws IOException when the controller does not start or does not answer
     */
    static void remove(Map<String, String> settings, int nodeId) throws IOException {
        String controller = LoopbackPort.HOST + ":" + LoopbackPort.resolve(0, "Kafka controller");
        Map<String, String> alone = new HashMap<>(settings);
        alone.put("process.roles", "controller");
        alone.put("listeners", "CONTROLLER://" + controller);
        alone.put("controller.quorum.voters", nodeId + "@" + controller);
        alone.remove("advertised.listeners");
        alone.remove("inter.broker.listener.name");
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(alone, false), Time.SYSTEM);
        try {
            server.startup();
            unregister(controller, nodeId);
        } finally {
            server.shutdown();
            server.awaitShutdown();
        }
    }

    private static void unregister(String controller, int nodeId) throws IOException {
        try (Admin admin = Admin.create(Map.of(
                AdminClientConfig.BOOTSTRAP_CONTROLLERS_CONFIG,
                controller,
                AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                TIMEOUT_MILLIS))) {
            admin.unregisterBroker(nodeId).all().get(2 * TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException refused) {
            if (!(refused.getCause() instanceof BrokerIdNotRegisteredException)) {
                throw unanswered(refused.getCause());
            }
        } catch (TimeoutException late) {
            throw unanswered(late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw unanswered(interrupted);
        }
    }

    private static IOException unanswered(Throwable cause) {
        return new IOException("The Kafka controller did not unregister the killed broker: " + cause, cause);
    }
}
