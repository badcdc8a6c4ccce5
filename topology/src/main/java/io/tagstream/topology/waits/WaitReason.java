/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

/** Why images wait. The names appear in metrics, health and logs, and in the operations page's table of remedies. */
public enum WaitReason {
    VOCABULARY_NOT_ENCODED("The label encoder is still encoding labels; if this lasts, see what it logs."),
    VOCABULARY_BEHIND("This passes once this instance has read the newest vocabulary; if it lasts, see what the label"
            + " encoder logs."),
    OTHER_MODEL("Give this instance the bundle in force (model.bundle); or put its own in force for all instances"
            + " (tagstream model use)."),
    TOPIC_MISSING("Create the topic again, with the partitions and settings that it had (topics.create=true lets"
            + " Tagstream do so)."),
    REGISTRY_AWAY("Make the schema registry answer (schema.registry.url); what waits is then read."),
    NO_ROOM("Find out which image hosts do not answer; or raise task.pending.max or model.max.accepted."),
    SLOW_IMAGES("Find out which image hosts do not answer, and whether the model still scores"
            + " (tagstream_runtime_stage_seconds)."),
    RESTORING(
            "This passes once the state is restored; standby replicas on other instances (standby.replicas) shorten it. If it"
                    + " makes no progress, look for an open transaction (kafka-transactions find-hanging)."),
    REBALANCING("This passes once an instance takes the partition over; if it lasts, look for a member of the consumer"
            + " group that does not answer (kafka-consumer-groups --describe --members)."),
    THREAD_FAILED("The thread is replaced; the log has its exception, which says what to mend."),
    FENCED("The work is done again; if this recurs, look for brokers that are slow to commit, or a process that stands"
            + " still for longer than its session (kafka.session.timeout.ms)."),
    TRANSACTION_OPEN("Find the producer whose transaction is open (kafka-transactions find-hanging) and end it."),
    KAFKA_AWAY("Make the Kafka cluster answer (bootstrap.servers); whether images wait is not known until then."),
    THREAD_BUSY(
            "Give this instance more of the processor, or add stream threads (stream.threads) or instances; its other"
                    + " partitions have more images than one thread can keep up with."),
    UNEXPLAINED("Take a thread dump (jstack) and restart this instance; its work is done again.");

    private final String remedy;

    WaitReason(String remedy) {
        this.remedy = remedy;
    }

    /** What to do about it, in a sentence or two. */
    public String remedy() {
        return remedy;
    }
}
