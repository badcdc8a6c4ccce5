/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.registry;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HttpResponseException;
import io.javalin.util.JavalinBindException;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tagstream.local.broker.LoopbackPort;
import io.tagstream.operations.http.ClientLimits;
import io.tagstream.operations.http.LimitedServer;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.Schema;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A schema registry for one laptop. It serves, over HTTP on the loopback address, those of <a
 * href="https://docs.confluent.io/platform/current/schema-registry/develop/api.html">Confluent's endpoints</a> that
 * serializers, Connect converters and topic browsers use. It keeps its schemas in the compacted topic {@code _schemas},
 * so that ids stay the same across restarts.
 *
 * <p>It serves: schemas by id, with their subjects and versions; subjects; versions (list, get, latest, register, soft
 * and permanent delete); look-up of a schema under a subject; compatibility checks and levels, global (initially {@code
 * BACKWARD_TRANSITIVE}) and per subject; the mode, which is always {@code READWRITE}. Errors carry Confluent's codes.
 * Two schemas are the same if Avro prints them the same, regardless of white space.
 *
 * <p>It does not serve: schema types other than Avro, references between schemas, contexts, rules and metadata,
 * authentication, TLS, or more than one instance per topic.
 *
 * <p><b>Threading notes.</b> Requests run on the HTTP server's threads; each holds this object's monitor while it reads
 * or changes the registry's state, including while it writes to the topic. {@code start} and {@code close} block.
 */
public final class LocalRegistry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalRegistry.class);
    private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
    private static final String SERVER = "schema registry";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RegistryState state;
    private final RegistryTopic topic;
    private final Javalin server;
    private final int port;

    private LocalRegistry(RegistryState state, RegistryTopic topic, int port) throws IOException {
        this.state = state;
        this.topic = topic;
        this.port = port;
        this.server = Javalin.create(this::configure);
        try {
            server.start(LoopbackPort.HOST, port);
        } catch (JavalinBindException taken) {
            throw LoopbackPort.inUse(port, SERVER, taken);
        }
    }

    /**
     * Starts a registry and returns when it accepts requests.
     *
     * @param bootstrapServers the address of the broker that keeps the schemas
     * @param port port in [1, 65535], or 0 for any free one
     * @return the running registry
     * @throws java.net.BindException when the port is in use
     * @throws IOException when the broker does not answer, or its topic cannot be read
     */
    public static LocalRegistry start(String bootstrapServers, int port) throws IOException {
        int resolved = LoopbackPort.resolve(port, SERVER);
        RegistryState state = new RegistryState();
        RegistryTopic topic = RegistryTopic.open(bootstrapServers, state::apply);
        try {
            return new LocalRegistry(state, topic, resolved);
        } catch (IOException | RuntimeException failed) {
            topic.close();
            throw failed;
        }
    }

    /**
     * The URL for the clients' {@code schema.registry.url}.
     *
     * @return {@code http://host:port}
     */
    public String url() {
        return "http://" + LoopbackPort.HOST + ":" + port;
    }

    /** Stops the server, then the producer behind it. */
    @Override
    public void close() {
        server.stop();
        topic.close();
    }

    private void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.http.defaultContentType = CONTENT_TYPE;
        new LimitedServer(ClientLimits.REGISTRY, new CompositeMeterRegistry()).accept(config); // it only logs refusals
        RoutesConfig routes = config.routes;

        routes.get("/", answer(context -> Map.of()));
        routes.get("/schemas/types", answer(context -> List.of("AVRO")));
        routes.get("/schemas/ids/{id}", answer(context -> Map.of("schema", schemaById(context))));
        routes.get("/schemas/ids/{id}/schema", text(this::schemaById));
        routes.get("/schemas/ids/{id}/subjects", answer(this::subjectsOfId));
        routes.get("/schemas/ids/{id}/versions", answer(this::versionsOfId));

        routes.get("/subjects", answer(this::subjects));
        routes.post("/subjects/{subject}", answer(this::lookUp));
        routes.delete("/subjects/{subject}", answer(this::deleteSubject));
        routes.get("/subjects/{subject}/versions", answer(this::versions));
        routes.post("/subjects/{subject}/versions", answer(this::register));
        routes.get("/subjects/{subject}/versions/{version}", answer(context -> describe(version(context))));
        routes.get(
                "/subjects/{subject}/versions/{version}/schema",
                text(context -> version(context).schema()));
        routes.delete("/subjects/{subject}/versions/{version}", answer(this::deleteVersion));

        routes.post("/compatibility/subjects/{subject}/versions", answer(this::checkAgainstSubject));
        routes.post("/compatibility/subjects/{subject}/versions/{version}", answer(this::checkAgainstVersion));

        routes.get("/config", answer(context -> Map.of("compatibilityLevel", state.compatibility())));
        routes.put("/config", answer(context -> setCompatibility(null, context)));
        routes.delete("/config", answer(context -> unsetCompatibility(null, state.compatibility())));
        routes.get("/config/{subject}", answer(this::compatibility));
        routes.put("/config/{subject}", answer(context -> setCompatibility(context.pathParam("subject"), context)));
        routes.delete("/config/{subject}", answer(this::unsetCompatibility));

        for (String path : List.of("/mode", "/mode/{subject}")) {
            routes.get(path, answer(context -> Map.of("mode", "READWRITE")));
            routes.put(path, answer(LocalRegistry::setMode));
        }

        routes.exception(
                RegistryError.class,
                (error, context) -> error(context, error.status(), error.code(), error.getMessage()));
        routes.exception(
                HttpResponseException.class,
                (refused, context) -> error(context, refused.getStatus(), refused.getStatus(), refused.getMessage()));
        routes.exception(Exception.class, (failed, context) -> {
            LOG.error("Cannot answer {} {}", context.method(), context.path(), failed);
            error(context, 500, 50001, failed.toString());
        });
    }

    private interface Answer<T> {
        T to(Context context);
    }

    private Handler answer(Answer<?> answer) {
        return context -> {
            synchronized (this) {
                context.result(json(answer.to(context)));
            }
        };
    }

    private Handler text(Answer<String> answer) {
        return context -> {
            synchronized (this) {
                context.result(answer.to(context));
            }
        };
    }

    private static void error(Context context, int status, int code, String message) {
        Map<String, Object> error = new LinkedHashMap<>();
        error.put("error_code", code);
        error.put("message", message);
        context.status(status).contentType(CONTENT_TYPE).result(json(error));
    }

    private static String json(Object answer) {
        try {
            return JSON.writeValueAsString(answer);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("Answers are plain values: " + answer, impossible);
        }
    }

    private void write(List<RegistryEntry> entries) {
        topic.append(entries);
        entries.forEach(state::apply);
    }

    // By id

    private String schemaById(Context context) {
        return state.byId(id(context)).schema();
    }

    private List<String> subjectsOfId(Context context) {
        return ofId(context).stream().map(RegisteredSchema::subject).distinct().toList();
    }

    private List<Map<String, Object>> versionsOfId(Context context) {
        return ofId(context).stream()
                .map(found -> Map.<String, Object>of("subject", found.subject(), "version", found.version()))
                .toList();
    }

    private List<RegisteredSchema> ofId(Context context) {
        int id = id(context);
        state.byId(id);
        return state.all()
                .filter(registered -> registered.id() == id)
                .filter(registered -> isTrue(context, "deleted") || !registered.deleted())
                .toList();
    }

    private static int id(Context context) {
        try {
            return Integer.parseInt(context.pathParam("id"));
        } catch (NumberFormatException noNumber) {
            throw RegistryError.schemaNotFound();
        }
    }

    // Subjects and versions

    private List<String> subjects(Context context) {
        String prefix = Optional.ofNullable(context.queryParam("subjectPrefix")).orElse("");
        return state.subjects(prefix, isTrue(context, "deleted"));
    }

    private List<Integer> versions(Context context) {
        return numbers(state.existingVersions(context.pathParam("subject"), isTrue(context, "deleted")));
    }

    private RegisteredSchema version(Context context) {
        return state.version(context.pathParam("subject"), context.pathParam("version"), isTrue(context, "deleted"));
    }

    private Map<String, Object> lookUp(Context context) {
        return describe(state.lookUp(context.pathParam("subject"), schema(context), isTrue(context, "deleted")));
    }

    private Map<String, Object> register(Context context) {
        String subject = context.pathParam("subject");
        Schema schema = schema(context);
        state.registration(subject, schema).ifPresent(added -> {
            write(List.of(RegistryEntry.schema(added)));
            LOG.debug(
                    "Registered {} as version {} of {}, id {}",
                    schema.getFullName(),
                    added.version(),
                    subject,
                    added.id());
        });
        return Map.of("id", state.lookUp(subject, schema, false).id());
    }

    private List<Integer> deleteSubject(Context context) {
        String subject = context.pathParam("subject");
        boolean permanent = isTrue(context, "permanent");
        List<RegisteredSchema> all = state.existingVersions(subject, true);
        List<RegisteredSchema> visible = state.versions(subject, false);
        if (permanent && !visible.isEmpty()) {
            throw RegistryError.subjectNotSoftDeleted(subject);
        }
        if (!permanent && visible.isEmpty()) {
            throw RegistryError.subjectSoftDeleted(subject);
        }
        List<RegisteredSchema> deleted = permanent ? all : visible;
        write(state.deletion(deleted, permanent));
        return numbers(deleted);
    }

    private int deleteVersion(Context context) {
        String subject = context.pathParam("subject");
        boolean permanent = isTrue(context, "permanent");
        RegisteredSchema version = state.version(subject, context.pathParam("version"), true);
        if (permanent && !version.deleted()) {
            throw RegistryError.versionNotSoftDeleted(subject, version.version());
        }
        if (!permanent && version.deleted()) {
            throw RegistryError.versionSoftDeleted(subject, version.version());
        }
        write(state.deletion(List.of(version), permanent));
        return version.version();
    }

    private static List<Integer> numbers(List<RegisteredSchema> versions) {
        return versions.stream().map(RegisteredSchema::version).toList();
    }

    private static Map<String, Object> describe(RegisteredSchema registered) {
        Map<String, Object> description = new LinkedHashMap<>();
        description.put("subject", registered.subject());
        description.put("version", registered.version());
        description.put("id", registered.id());
        description.put("schema", registered.schema());
        return description;
    }

    // Compatibility

    private Map<String, Object> checkAgainstSubject(Context context) {
        return verdict(context, state.violations(context.pathParam("subject"), schema(context)));
    }

    private Map<String, Object> checkAgainstVersion(Context context) {
        Schema candidate = schema(context);
        return verdict(context, state.violations(version(context), candidate));
    }

    private static Map<String, Object> verdict(Context context, List<String> violations) {
        Map<String, Object> verdict = new LinkedHashMap<>();
        verdict.put("is_compatible", violations.isEmpty());
        if (isTrue(context, "verbose")) {
            verdict.put("messages", violations);
        }
        return verdict;
    }

    private Map<String, CompatibilityLevel> compatibility(Context context) {
        String subject = context.pathParam("subject");
        CompatibilityLevel level = isTrue(context, "defaultToGlobal")
                ? state.effectiveCompatibility(subject)
                : state.ownCompatibility(subject).orElseThrow(() -> RegistryError.compatibilityNotConfigured(subject));
        return Map.of("compatibilityLevel", level);
    }

    private Map<String, CompatibilityLevel> setCompatibility(String subject, Context context) {
        String name = body(context, CompatibilityRequest.class).compatibility();
        CompatibilityLevel level = Arrays.stream(CompatibilityLevel.values())
                .filter(known -> known.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> RegistryError.invalidCompatibility(name));
        write(List.of(RegistryEntry.compatibility(subject, level)));
        return Map.of("compatibility", level);
    }

    private Map<String, CompatibilityLevel> unsetCompatibility(Context context) {
        String subject = context.pathParam("subject");
        return unsetCompatibility(
                subject,
                state.ownCompatibility(subject).orElseThrow(() -> RegistryError.compatibilityNotConfigured(subject)));
    }

    private Map<String, CompatibilityLevel> unsetCompatibility(String subject, CompatibilityLevel former) {
        write(List.of(RegistryEntry.compatibility(subject, null)));
        return Map.of("compatibilityLevel", former);
    }

    private static Map<String, String> setMode(Context context) {
        String mode = body(context, ModeRequest.class).mode();
        if (mode == null || !mode.toUpperCase(Locale.ROOT).equals("READWRITE")) {
            throw RegistryError.invalidMode(mode);
        }
        return Map.of("mode", "READWRITE");
    }

    // Requests

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record SchemaRequest(String schema, String schemaType, List<JsonNode> references) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record CompatibilityRequest(String compatibility) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record ModeRequest(String mode) {}

    private static Schema schema(Context context) {
        SchemaRequest request = body(context, SchemaRequest.class);
        if (request.schemaType() != null && !request.schemaType().equals("AVRO")) {
            throw RegistryError.invalidSchema("type " + request.schemaType() + " is not supported here, only AVRO");
        }
        if (request.references() != null && !request.references().isEmpty()) {
            throw RegistryError.invalidSchema("references are not supported here; inline the referenced types");
        }
        if (request.schema() == null || request.schema().isBlank()) {
            throw RegistryError.invalidSchema("Empty schema");
        }
        return RegistryState.parse(request.schema());
    }

    private static <T> T body(Context context, Class<T> type) {
        try {
            return JSON.readValue(context.body(), type);
        } catch (JsonProcessingException malformed) {
            throw RegistryError.malformedRequest("The request body is malformed: " + malformed.getMessage());
        }
    }

    private static boolean isTrue(Context context, String parameter) {
        return Boolean.parseBoolean(context.queryParam(parameter));
    }
}
