/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.tagging;

import io.micrometer.core.instrument.MeterRegistry;
import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.state.PendingImage;
import io.tagstream.avro.state.UndecodedImage;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.clients.Inflow;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.clients.TopicIdentities;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.control.Controls;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.vocabulary.Vocabulary;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import io.tagstream.topology.waits.Progress;
import io.tagstream.topology.waits.Waits;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * The state that all tagging tasks of a process share.
 *
 * <p><i>Threading notes.</i> Used by every stream thread.
 */
public final class TaggingContext implements AutoCloseable {
    private final TagstreamConfig config;
    private final Contracts contracts;
    private final Vocabulary vocabulary;
    private final ModelRuntime runtime;
    private final RecordLimit limit;
    private final Deserializer<PendingImage> pendingImages = new StateSerde<>(PendingImage.class).deserializer();
    private final StateSerde<UndecodedImage> undecodedImages = new StateSerde<>(UndecodedImage.class);
    private final Acceptance acceptance;
    private final RegistryAccess registry = new RegistryAccess(this::nanoTime);
    private final OutcomeFactory outcomes;

    private final BundleRelease bundle;
    private final Waits waits;
    private final Progress progress;
    private final TaggingMeters meters;

    /**
     * One object for all tasks: the runtime scores images that have the same supplier in one batch, against one
     * snapshot.
     */
    private final Supplier<VocabularySnapshot> labels;

    private final Inflow inflow;
    private final TopicIdentities identities;
    private final RateLimit sweepRate;
    private final Pace pace;
    private final PromptCommits commits;

    /** The clock that bounds the tasks' turns. */
    private volatile LongSupplier nanoTime = System::nanoTime;

    /** By partition. */
    private final Map<Integer, SweepStatus> sweeps = new ConcurrentHashMap<>();

    private final String keptFeatures;
    private final AtomicInteger busyTasks = new AtomicInteger();

    /** Tasks with images that the runtime has had no room for yet. */

    /** The state of a topology that nobody watches. The parameters are those of the other constructor. */
    public TaggingContext(
            TagstreamConfig config,
            Contracts contracts,
            Vocabulary vocabulary,
            ModelRuntime runtime,
            MeterRegistry metrics,
            Inflow inflow) {
        this(config, contracts, vocabulary, runtime, metrics, inflow, new Waits(), new Progress());
    }

    /**
     * The state that one topology's tasks share.
     *
     * @param vocabulary made for this topology alone, which fills it
     * @param runtime owned by the caller
     * @param metrics the registry that {@link TaggingMetric}s go to
     * @param inflow wraps the clients that the topology runs with
     * @param waits is told what tasks are waiting for
     * @param progress is told what tasks owe and achieve
     */
    public TaggingContext(
            TagstreamConfig config,
            Contracts contracts,
            Vocabulary vocabulary,
            ModelRuntime runtime,
            MeterRegistry metrics,
            Inflow inflow,
            Waits waits,
            Progress progress) {
        this.config = config;
        this.waits = waits;
        this.progress = progress;
        this.contracts = contracts;
        this.vocabulary = vocabulary;
        this.runtime = runtime;
        this.limit = RecordLimit.of(config);
        this.acceptance = new Acceptance(config, contracts, limit);
        this.outcomes = new OutcomeFactory(config, contracts, limit, runtime.description());
        this.bundle = Controls.release(runtime.description());
        this.meters = new TaggingMeters(metrics, vocabulary, inflow, sweeps, waits);
        this.labels = () -> vocabulary.snapshot().orElseThrow();
        this.inflow = inflow;
        this.identities = new TopicIdentities(TaggingTopology.rewritable(config));
        this.sweepRate = new RateLimit(config.getInt(TagstreamConfig.SWEEP_MAX_RATE), this::nanoTime);
        this.pace = new Pace(config.taskForward());
        this.commits = new PromptCommits(this::nanoTime, pace, runtime::isSaturated);
        this.keptFeatures = config.getString(TagstreamConfig.IMAGE_FEATURES).toLowerCase(Locale.ROOT);
    }

    TagstreamConfig config() {
        return config;
    }

    Contracts contracts() {
        return contracts;
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    ModelRuntime runtime() {
        return runtime;
    }

    /**
     * Reads an accepted image.
     *
     * @param sequence its place in the pending store
     * @throws SerializationException if the bytes are not an accepted image
     */
    OwedImage owed(long sequence, byte[] bytes) {
        if (bytes == null) {
            throw new SerializationException("There is no value");
        }
        if (undecodedImages.isOfThisClass(bytes)) {
            UndecodedImage undecoded = undecodedImages.deserializer().deserialize(null, bytes);
            return new OwedImage(sequence, undecoded);
        }
        return new OwedImage(sequence, pendingImages.deserialize(null, bytes));
    }

    Acceptance acceptance() {
        return acceptance;
    }

    RegistryAccess registry() {
        return registry;
    }

    RecordLimit limit() {
        return limit;
    }

    OutcomeFactory outcomes() {
        return outcomes;
    }

    /** The bundle that this instance has. */
    BundleRelease bundle() {
        return bundle;
    }

    Waits waits() {
        return waits;
    }

    Progress progress() {
        return progress;
    }

    TaggingMeters meters() {
        return meters;
    }

    Supplier<VocabularySnapshot> labels() {
        return labels;
    }

    Inflow inflow() {
        return inflow;
    }

    /** Replaces the clock that bounds the tasks' turns: a simulation must not depend on the machine's. */
    void useClock(LongSupplier nanoseconds) {
        nanoTime = nanoseconds;
    }

    /** The time that bounds the tasks' turns, in nanoseconds from an arbitrary origin. */
    long nanoTime() {
        return nanoTime.getAsLong();
    }

    /** What the topics are that tasks can write again. */
    public TopicIdentities identities() {
        return identities;
    }

    /** How long the topology's stream threads wait for records; the clients that it runs with must keep it. */
    public Pace pace() {
        return pace;
    }

    PromptCommits commits() {
        return commits;
    }

    RateLimit sweepRate() {
        return sweepRate;
    }

    /** How far the tasks' images have followed the vocabulary, by partition. */
    Map<Integer, SweepStatus> sweeps() {
        return sweeps;
    }

    boolean keepsFeatures() {
        return !keptFeatures.equals("none");
    }

    boolean boundsFeatures() {
        return keptFeatures.equals("bounded");
    }

    /** Notes that a task has images to submit, or has none left. */
    void busy(boolean busy) {
        busyTasks.addAndGet(busy ? 1 : -1);
    }

    /** Call this when the topology has stopped. */
    @Override
    public void close() {
        registry.close();
    }

    /** How many images each busy task may have submitted, so that none takes all the room. */
    int fairShare() {
        int room = config.getInt(TagstreamConfig.MODEL_MAX_ACCEPTED);
        int tasks = Math.max(1, busyTasks.get());
        return Math.max(1, (room + tasks - 1) / tasks);
    }
}
