/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.config;

import static org.apache.kafka.common.config.ConfigDef.Importance.HIGH;
import static org.apache.kafka.common.config.ConfigDef.Importance.LOW;
import static org.apache.kafka.common.config.ConfigDef.Importance.MEDIUM;
import static org.apache.kafka.common.config.ConfigDef.Range.atLeast;
import static org.apache.kafka.common.config.ConfigDef.Range.between;

import io.tagstream.model.LabelSelection;
import io.tagstream.model.batch.PipelineOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.NonEmptyString;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.streams.GroupProtocol;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Tagstream's configuration. A key is defined next to the code that reads it: the topologies' own keys are here, and
 * the rooms on the class path add theirs as {@link ConfigurationKeys}.
 *
 * <p>Keys that begin with {@value #KAFKA_PREFIX} or {@value #REGISTRY_PREFIX} pass through to the Kafka clients and to
 * the schema registry's client. Every other key that is not defined here is refused.
 */
public final class TagstreamConfig extends AbstractConfig {
    /** Keys with this prefix go to Kafka Streams and its clients, without the prefix. */
    public static final String KAFKA_PREFIX = "kafka.";
    /** Keys with this prefix go to the schema registry's client unchanged. */
    public static final String REGISTRY_PREFIX = "schema.registry.";

    public static final String APPLICATION_ID = "application.id";
    public static final String BOOTSTRAP_SERVERS = "bootstrap.servers";
    public static final String SCHEMA_REGISTRY_URL = "schema.registry.url";
    public static final String STATE_DIR = "state.dir";
    public static final String STREAM_THREADS = "stream.threads";
    public static final String STANDBY_REPLICAS = "standby.replicas";

    public static final String IMAGES_TOPIC = "images.topic";
    public static final String IMAGES_REPARTITION = "images.repartition";
    public static final String LABELS_TOPIC = "labels.topic";
    public static final String LABELS_QUIET_MILLIS = "labels.quiet.ms";
    public static final String LABELS_GROUP_MILLIS = "labels.group.ms";
    public static final String EMBEDDINGS_TOPIC = "embeddings.topic";
    public static final String CONTROL_TOPIC = "control.topic";
    public static final String TAGS_TOPIC = "tags.topic";
    public static final String TAGS_TOP_K = "tags.top.k";
    public static final String TAGS_MIN_SCORE = "tags.min.score";
    public static final String TAG_CHANGES_TOPIC = "tag-changes.topic";
    public static final String IMAGE_FAILURES_TOPIC = "image-failures.topic";
    public static final String LABEL_FAILURES_TOPIC = "label-failures.topic";
    public static final String DEAD_LETTERS_TOPIC = "dead-letters.topic";
    public static final String TOPICS_REPLICATION_FACTOR = "topics.replication.factor";
    public static final String TOPICS_CREATE = "topics.create";
    public static final String TOPICS_CHECK_MILLIS = "topics.check.ms";

    public static final String TASK_PENDING_MAX = "task.pending.max";
    public static final String TASK_PENDING_MAX_BYTES = "task.pending.max.bytes";
    public static final String TASK_FORWARD_MILLIS = "task.forward.ms";

    public static final String IMAGE_FEATURES = "image.features";
    public static final String IMAGE_FEATURES_MAX_COUNT = "image.features.max.count";
    public static final String IMAGE_FEATURES_MAX_AGE_MILLIS = "image.features.max.age.ms";
    public static final String IMAGE_SCORES_FLOOR = "image.scores.floor";
    public static final String SWEEP_CHECK_MILLIS = "sweep.check.ms";
    public static final String SWEEP_MAX_RATE = "sweep.max.images.per.second";
    public static final String SWEEP_READS_MAX = "sweep.reads.max";
    public static final String VOCABULARY_SELECTION = "vocabulary.selection";
    public static final String VOCABULARY_CANDIDATES_FROM = "vocabulary.candidates.from";
    public static final String VOCABULARY_MAX = "vocabulary.max";

    public static final String MODEL_BUNDLE = "model.bundle";
    public static final String MODEL_MAX_ACCEPTED = "model.max.accepted";

    public static final String HTTP_HOST = "http.host";
    public static final String HTTP_PORT = "http.port";
    public static final String HEALTH_TAGGING_AFTER_MILLIS = "health.tagging.after.ms";

    private static final int LARGEST_PORT = 65_535;

    /** Settings of Kafka Streams that guarantee exactly one outcome for every image. */
    private static final List<String> KEPT_SETTINGS = List.of(
            StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
            StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
            "default.deserialization.exception.handler",
            StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG,
            StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG,
            "default.production.exception.handler",
            StreamsConfig.ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME_CONFIG);

    /** The keys of the rooms on the class path. */
    private static final List<ConfigurationKeys> ROOMS = ServiceLoader.load(ConfigurationKeys.class).stream()
            .map(ServiceLoader.Provider::get)
            .toList();

    private static final ConfigDef DEFINITION = define(new ConfigDef()
            .define(
                    BOOTSTRAP_SERVERS,
                    ConfigDef.Type.LIST,
                    ConfigDef.NO_DEFAULT_VALUE,
                    HIGH,
                    "Addresses of the Kafka cluster, as comma-separated host:port pairs.")
            .define(
                    SCHEMA_REGISTRY_URL,
                    ConfigDef.Type.LIST,
                    ConfigDef.NO_DEFAULT_VALUE,
                    HIGH,
                    "Comma-separated URLs of the schema registry. Other keys that begin with `schema.registry.`, such"
                            + " as `schema.registry.basic.auth.user.info`, go to Confluent's client.")
            .define(
                    APPLICATION_ID,
                    ConfigDef.Type.STRING,
                    "tagstream",
                    new NonEmptyString(),
                    HIGH,
                    "Name of this Tagstream on the cluster: instances with the same name share the work. The names of"
                            + " consumer groups, internal topics and transactions begin with it.")
            .define(
                    STATE_DIR,
                    ConfigDef.Type.STRING,
                    System.getProperty("java.io.tmpdir") + "/tagstream",
                    new NonEmptyString(),
                    HIGH,
                    "Directory of the local state. The state can be rebuilt from the cluster, but keeping it makes a"
                            + " restart faster.")
            .define(
                    STREAM_THREADS,
                    ConfigDef.Type.INT,
                    1,
                    atLeast(1),
                    MEDIUM,
                    "Number of threads that read from and write to Kafka. Images are fetched, decoded and scored on"
                            + " other threads, so one is enough for hundreds of images per second.")
            .define(
                    STANDBY_REPLICAS,
                    ConfigDef.Type.INT,
                    1,
                    atLeast(0),
                    MEDIUM,
                    "How many other instances keep a copy of each partition's state. One that has a copy takes the"
                            + " partition over within seconds; any other instance restores the state from Kafka first."
                            + " Each copy takes as much disk, and as much network traffic to keep it up to date, as the"
                            + " state itself. A single instance has no copies, whatever the number.")
            .define(
                    IMAGES_TOPIC,
                    ConfigDef.Type.STRING,
                    "images",
                    new NonEmptyString(),
                    HIGH,
                    "Topic of image references. The key is the image id in plain UTF-8. A null value deletes the"
                            + " image.")
            .define(
                    IMAGES_REPARTITION,
                    ConfigDef.Type.BOOLEAN,
                    true,
                    MEDIUM,
                    "Whether to repartition image references by image id, through an internal topic. Producers in other"
                            + " languages may partition differently, but an id must always reach the same task. `false`"
                            + " saves the topic if all producers partition like Java's (murmur2).")
            .define(
                    LABELS_TOPIC,
                    ConfigDef.Type.STRING,
                    "label-vocabulary",
                    new NonEmptyString(),
                    HIGH,
                    "Topic of the vocabulary: one partition, compacted. The key is the label id. A null value removes"
                            + " the label.")
            .define(
                    LABELS_QUIET_MILLIS,
                    ConfigDef.Type.LONG,
                    100L,
                    atLeast(0),
                    LOW,
                    "Label changes take effect together once none has arrived for this long, so an import of many"
                            + " labels is one vocabulary epoch.")
            .define(
                    LABELS_GROUP_MILLIS,
                    ConfigDef.Type.LONG,
                    60_000L,
                    atLeast(0),
                    LOW,
                    "Label changes take effect after this long even if more keep arriving.")
            .define(
                    EMBEDDINGS_TOPIC,
                    ConfigDef.Type.STRING,
                    "label-embeddings",
                    new NonEmptyString(),
                    MEDIUM,
                    "Topic of encoded labels, written only by Tagstream: one partition, compacted. Each"
                            + " `application.id` needs its own.")
            .define(
                    CONTROL_TOPIC,
                    ConfigDef.Type.STRING,
                    "cluster-control",
                    new NonEmptyString(),
                    LOW,
                    "Topic of the model and the tag policy in force, written by `tagstream model use` and `tagstream"
                            + " policy set`: one partition, compacted. Each `application.id` needs its own.")
            .define(
                    TAGS_TOPIC,
                    ConfigDef.Type.STRING,
                    "tags",
                    new NonEmptyString(),
                    HIGH,
                    "Topic of tag events, compacted: the latest record for an image id has the image's full tag set.")
            .define(
                    TAGS_TOP_K,
                    ConfigDef.Type.INT,
                    null,
                    MEDIUM,
                    "The most tags per image. Default: the bundle's number. The first value for a new cluster;"
                            + " from then on `tagstream policy set` changes it.")
            .define(
                    TAGS_MIN_SCORE,
                    ConfigDef.Type.DOUBLE,
                    null,
                    MEDIUM,
                    "The score in [0, 1] from which a tag is emitted, whatever the thresholds of the labels and the"
                            + " bundle. Default: each label's own threshold, or the bundle's if the label has none. The"
                            + " first value for a new cluster; from then on `tagstream policy set` changes it.")
            .define(
                    TAG_CHANGES_TOPIC,
                    ConfigDef.Type.STRING,
                    "tag-changes",
                    new NonEmptyString(),
                    MEDIUM,
                    "Topic of changes to tag sets.")
            .define(
                    IMAGE_FAILURES_TOPIC,
                    ConfigDef.Type.STRING,
                    "image-failures",
                    new NonEmptyString(),
                    MEDIUM,
                    "Topic of images that could not be tagged.")
            .define(
                    LABEL_FAILURES_TOPIC,
                    ConfigDef.Type.STRING,
                    "label-failures",
                    new NonEmptyString(),
                    MEDIUM,
                    "Topic of labels that were refused.")
            .define(
                    DEAD_LETTERS_TOPIC,
                    ConfigDef.Type.STRING,
                    "dead-letters",
                    new NonEmptyString(),
                    MEDIUM,
                    "Topic of records that could not be read, as they were found (KIP-1034).")
            .define(
                    TOPICS_REPLICATION_FACTOR,
                    ConfigDef.Type.SHORT,
                    (short) -1,
                    MEDIUM,
                    "Replication factor of created topics, including internal ones. -1: the brokers' default.")
            .define(
                    TOPICS_CREATE,
                    ConfigDef.Type.BOOLEAN,
                    true,
                    MEDIUM,
                    "Whether Tagstream creates topics that are missing, when it starts and while it runs. If false,"
                            + " missing topics prevent the start, and images wait while one is missing.")
            .define(
                    TOPICS_CHECK_MILLIS,
                    ConfigDef.Type.LONG,
                    3_000L,
                    atLeast(100),
                    LOW,
                    "How often to check that the topics are intact. A topic that is missing at two checks in a row is"
                            + " created again; the second check follows within half a second. Records that are missing"
                            + " from `label-embeddings` are written again. Below 10 s, Kafka's transactions survive the"
                            + " loss of a topic.")
            .define(
                    TASK_PENDING_MAX,
                    ConfigDef.Type.INT,
                    4_000,
                    atLeast(1),
                    LOW,
                    "The most images of a partition that may await their outcome. At this limit the partition is held"
                            + " back while others continue; records that were already polled still arrive"
                            + " (`kafka.max.poll.records`, `kafka.buffered.records.per.partition`). Each image takes"
                            + " about a kilobyte. If a host hangs, this many of its images hold up a partition.")
            .define(
                    TASK_PENDING_MAX_BYTES,
                    ConfigDef.Type.LONG,
                    64L * 1024 * 1024,
                    atLeast(1),
                    LOW,
                    "The same limit, in bytes of the images' URIs; a `data:` URI contains a whole image.")
            .define(
                    TASK_FORWARD_MILLIS,
                    ConfigDef.Type.INT,
                    10,
                    between(1, 1_000),
                    LOW,
                    "How often finished images are written to Kafka.")
            .define(
                    IMAGE_FEATURES,
                    ConfigDef.Type.STRING,
                    "bounded",
                    ConfigDef.CaseInsensitiveValidString.in("none", "bounded", "all"),
                    HIGH,
                    "Which tagged images' features to keep, so that a changed label can be scored without reading the"
                            + " image again: `all`, the newest ones within `image.features.max.*` (`bounded`), or"
                            + " `none`. Images without features are read again when necessary. The bundled model's"
                            + " features take 27 KB per image, on disk and in a changelog topic.")
            .define(
                    IMAGE_FEATURES_MAX_COUNT,
                    ConfigDef.Type.LONG,
                    20_000L,
                    atLeast(0),
                    MEDIUM,
                    "With `image.features=bounded`: keep the features of this many images per partition, the latest"
                            + " ones.")
            .define(
                    IMAGE_FEATURES_MAX_AGE_MILLIS,
                    ConfigDef.Type.LONG,
                    365L * 24 * 60 * 60 * 1000,
                    atLeast(0),
                    MEDIUM,
                    "With `image.features=bounded`: how long to keep features after the image was read. Older features"
                            + " are dropped as other images arrive.")
            .define(
                    IMAGE_SCORES_FLOOR,
                    ConfigDef.Type.DOUBLE,
                    0.05,
                    ConfigDef.Range.between(0, 1),
                    LOW,
                    "Scores of at least this are kept for every image, so that thresholds above it can change without"
                            + " decoding anything. The first value for a new cluster; from then on `tagstream policy set`"
                            + " changes it.")
            .define(
                    SWEEP_CHECK_MILLIS,
                    ConfigDef.Type.INT,
                    500,
                    between(10, 60_000),
                    LOW,
                    "How often an idle partition checks whether the vocabulary has changed, so that its known images"
                            + " follow the change.")
            .define(
                    SWEEP_MAX_RATE,
                    ConfigDef.Type.INT,
                    0,
                    atLeast(0),
                    MEDIUM,
                    "The most known images per second and instance that follow a change. Fresh images have priority in"
                            + " any case; a limit spares Kafka and the consumers of the tags. 0: no limit.")
            .define(
                    SWEEP_READS_MAX,
                    ConfigDef.Type.INT,
                    16,
                    atLeast(0),
                    LOW,
                    "How many known images without features a partition reads again at a time. 0: they are not read"
                            + " again and keep their tags.")
            .define(
                    VOCABULARY_SELECTION,
                    ConfigDef.Type.STRING,
                    "auto",
                    new Selections(),
                    MEDIUM,
                    "Which labels an image is decoded against. `all`: every label. `candidates`: labels that are likely"
                            + " enough, judging by their cosine with the image and by how common the model expects them"
                            + " to be. This depends only on the label and the image."
                            + " `auto`: `candidates` for vocabularies of at least `vocabulary.candidates.from` labels,"
                            + " otherwise `all`. `top-N`, such as `top-200`: the N most likely labels. This is"
                            + " approximate, since a new label may displace another, and every change of the"
                            + " vocabulary decodes all N again; the model version in tag events says so.")
            .define(
                    VOCABULARY_CANDIDATES_FROM,
                    ConfigDef.Type.INT,
                    1_000,
                    atLeast(1),
                    LOW,
                    "The vocabulary size from which `vocabulary.selection=auto` decodes only candidates.")
            .define(
                    VOCABULARY_MAX,
                    ConfigDef.Type.INT,
                    20_000,
                    atLeast(1),
                    MEDIUM,
                    "The most labels. Further ones are refused; labels in force stay, even if there are more. Every"
                            + " instance reads all labels when it starts, and holds their vectors in memory: 2 KB for"
                            + " each label with 512 dimensions, and the same again while the vocabulary changes. Set it"
                            + " to the same number on all instances and for the commands that change labels.")
            .define(
                    MODEL_BUNDLE,
                    ConfigDef.Type.STRING,
                    "classpath:io/tagstream/bundles/everyday",
                    new NonEmptyString(),
                    HIGH,
                    "The model: the directory of a bundle, or `classpath:` and the path of a bundle in a jar. An instance"
                            + " waits while another bundle is in force (`tagstream model use`).")
            .define(
                    MODEL_MAX_ACCEPTED,
                    ConfigDef.Type.INT,
                    PipelineOptions.DEFAULT.maxAccepted(),
                    atLeast(1),
                    LOW,
                    "The most images, over all partitions, that are in progress or wait for their turn, their host or"
                            + " another attempt. A waiting image takes about a kilobyte.")
            .define(
                    HTTP_PORT,
                    ConfigDef.Type.INT,
                    null,
                    MEDIUM,
                    "Port of `/metrics` (Prometheus; see metrics.md), `/health/live`, `/health/ready`, `/health/tagging` and"
                            + " `/health/copies`. 0: any free port. Default: none. Other instances query it about the images of this instance's"
                            + " partitions, at `http.host` (the machine's name if that is 0.0.0.0) or, if set, at the"
                            + " host:port in `kafka.application.server`.")
            .define(
                    HEALTH_TAGGING_AFTER_MILLIS,
                    ConfigDef.Type.LONG,
                    60_000L,
                    atLeast(100),
                    MEDIUM,
                    "How long images of a partition may wait without any coming out before `/health/tagging` and the log"
                            + " report it. The default is longer than another instance takes to take over from one that"
                            + " has died. An image that is being fetched or scored has `image.deadline.ms` on top.")
            .define(
                    HTTP_HOST,
                    ConfigDef.Type.STRING,
                    "127.0.0.1",
                    new NonEmptyString(),
                    MEDIUM,
                    "Address that `http.port` listens on; `0.0.0.0` for all addresses of the machine. Anyone who can"
                            + " reach it can read the metrics without signing in."));

    public TagstreamConfig(Map<String, ?> settings) {
        super(DEFINITION, withKnownKeys(settings), false);
        for (String key : KEPT_SETTINGS) {
            if (settings.containsKey(KAFKA_PREFIX + key)) {
                throw new ConfigException("Key " + KAFKA_PREFIX + key
                        + " cannot be set: any value other than Tagstream's own would lose records");
            }
        }
        if (settings.containsKey(KAFKA_PREFIX + StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG)) {
            throw new ConfigException("Key " + KAFKA_PREFIX + StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG
                    + " cannot be set: set " + STANDBY_REPLICAS);
        }
        Object protocol = settings.get(KAFKA_PREFIX + StreamsConfig.GROUP_PROTOCOL_CONFIG);
        if (protocol != null && protocol.toString().strip().equalsIgnoreCase(GroupProtocol.STREAMS.name())) {
            throw new ConfigException(
                    KAFKA_PREFIX + StreamsConfig.GROUP_PROTOCOL_CONFIG,
                    protocol,
                    "must be classic: with this protocol Kafka Streams makes its own consumers, and Tagstream could"
                            + " neither hold back a partition nor leave the group when a thread fails");
        }
        requireAtLeastOne(TAGS_TOP_K);
        optionalInt(HTTP_PORT).ifPresent(value -> {
            if (value < 0 || value > LARGEST_PORT) {
                throw new ConfigException(HTTP_PORT, value, "must be a port in [0, 65535]");
            }
        });
        minScore().ifPresent(value -> {
            if (!(value >= 0 && value <= 1)) {
                throw new ConfigException(TAGS_MIN_SCORE, value, "must be a score in [0, 1]");
            }
        });
        ROOMS.forEach(keys -> keys.validate(this));
    }

    /** Refuses unknown keys. This comes first: a required key that is missing may be there under a misspelt name. */
    private static Map<String, ?> withKnownKeys(Map<String, ?> settings) {
        for (String key : new TreeSet<>(settings.keySet())) {
            if (DEFINITION.names().contains(key)) {
                continue;
            }
            Optional<String> near = nearest(key);
            boolean passesThrough = key.startsWith(KAFKA_PREFIX) || key.startsWith(REGISTRY_PREFIX);
            if (!passesThrough
                    || near.filter(name -> standsFor(key, name, settings)).isPresent()) {
                throw new ConfigException("Unknown configuration key " + key
                        + near.map(name -> "; did you mean " + name + "?").orElse(""));
            }
        }
        return settings;
    }

    /** Whether a key that would pass through is rather a required key, which is missing, with a slip or two. */
    private static boolean standsFor(String key, String name, Map<String, ?> settings) {
        return !DEFINITION.configKeys().get(name).hasDefault()
                && !settings.containsKey(name)
                && distance(key.toLowerCase(Locale.ROOT), name) <= 2;
    }

    private static ConfigDef define(ConfigDef definition) {
        ROOMS.forEach(keys -> keys.define(definition));
        return definition;
    }

    /** Every key with its documentation, default and validation. */
    public static ConfigDef definition() {
        return new ConfigDef(DEFINITION);
    }

    public String applicationId() {
        return getString(APPLICATION_ID);
    }

    public String topic(String key) {
        return getString(key);
    }

    /** The topics that Tagstream reads and writes. */
    public Set<String> topics() {
        Set<String> topics = new TreeSet<>();
        DEFINITION.names().stream().filter(key -> key.endsWith(".topic")).forEach(key -> topics.add(topic(key)));
        return topics;
    }

    public Duration labelsQuiet() {
        return Duration.ofMillis(getLong(LABELS_QUIET_MILLIS));
    }

    public Duration labelsGroup() {
        return Duration.ofMillis(getLong(LABELS_GROUP_MILLIS));
    }

    public Duration sweepCheck() {
        return Duration.ofMillis(getInt(SWEEP_CHECK_MILLIS));
    }

    public Duration topicsCheck() {
        return Duration.ofMillis(getLong(TOPICS_CHECK_MILLIS));
    }

    /** How long images of a partition may wait without any coming out, before health reports it. */
    public Duration taggingAfter() {
        return Duration.ofMillis(getLong(HEALTH_TAGGING_AFTER_MILLIS));
    }

    public Duration taskForward() {
        return Duration.ofMillis(getInt(TASK_FORWARD_MILLIS));
    }

    /** Which labels an image is decoded against in a vocabulary of this size. */
    public LabelSelection selection(int labels) {
        String selection = getString(VOCABULARY_SELECTION).toLowerCase(Locale.ROOT);
        return switch (selection) {
            case "all" -> LabelSelection.ALL;
            case "candidates" -> LabelSelection.CANDIDATES;
            case "auto" ->
                labels >= getInt(VOCABULARY_CANDIDATES_FROM) ? LabelSelection.CANDIDATES : LabelSelection.ALL;
            default -> LabelSelection.top(Selections.count(selection));
        };
    }

    /** The most tags per image, if configured. */
    public OptionalInt topK() {
        return optionalInt(TAGS_TOP_K);
    }

    /** The threshold for every label, if configured. */
    public OptionalDouble minScore() {
        Double value = getDouble(TAGS_MIN_SCORE);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    /** The value of an optional number. */
    public OptionalInt optionalInt(String key) {
        Integer value = getInt(key);
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    /** Settings for Kafka's clients: the cluster's address and every key that passes through. */
    public Map<String, Object> kafkaSettings() {
        Map<String, Object> settings = new HashMap<>(originalsWithPrefix(KAFKA_PREFIX));
        settings.put(BOOTSTRAP_SERVERS, String.join(",", getList(BOOTSTRAP_SERVERS)));
        return settings;
    }

    /** Settings for the schema registry's client: its address and every key that passes through, unchanged. */
    public Map<String, Object> registrySettings() {
        Map<String, Object> settings = new HashMap<>();
        originals().forEach((key, value) -> {
            if (key.startsWith(REGISTRY_PREFIX)) {
                settings.put(key, value);
            }
        });
        settings.put(SCHEMA_REGISTRY_URL, String.join(",", getList(SCHEMA_REGISTRY_URL)));
        return settings;
    }

    /** Refuses an optional number below 1. */
    public void requireAtLeastOne(String key) {
        Integer value = getInt(key);
        if (value != null && value < 1) {
            throw new ConfigException(key, value, "must be at least 1");
        }
    }

    /** The values that {@link #VOCABULARY_SELECTION} may have. */
    private static final class Selections implements ConfigDef.Validator {
        private static final Pattern TOP = Pattern.compile("top-([1-9][0-9]{0,5})");

        static int count(String selection) {
            Matcher top = TOP.matcher(selection);
            if (!top.matches()) {
                throw new ConfigException(
                        VOCABULARY_SELECTION, selection, "must be auto, all, candidates or top-N, such as top-200");
            }
            return Integer.parseInt(top.group(1));
        }

        @Override
        public void ensureValid(String name, Object value) {
            String selection = String.valueOf(value).toLowerCase(Locale.ROOT);
            if (!List.of("auto", "all", "candidates").contains(selection)) {
                count(selection);
            }
        }

        @Override
        public String toString() {
            return "auto, all, candidates or top-N";
        }
    }

    private static Optional<String> nearest(String key) {
        String lower = key.toLowerCase(Locale.ROOT);
        List<String> near = new ArrayList<>();
        int best = Math.max(2, key.length() / 3);
        for (String name : new TreeSet<>(DEFINITION.names())) {
            int distance = distance(lower, name);
            if (distance < best) {
                best = distance;
                near.clear();
            }
            if (distance == best) {
                near.add(name);
            }
        }
        return near.stream().findFirst();
    }

    /** Levenshtein distance: insertions, deletions and substitutions of a character. */
    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(substitution, 1 + Math.min(previous[j], current[j - 1]));
            }
            previous = current;
        }
        return previous[b.length()];
    }
}
