/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.schemas.registry;

import io.tagstream.schemas.registry.CheckedRestService.ForeignSchemaException;
import java.io.IOException;
import java.net.URI;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.SerializationException;

/**
 * Confluent's client as a {@link SchemaRegistry}.
 *
 * <p><b>Threading notes.</b> Confluent's client is thread-safe; the cache of parsed schemas in front of it is a
 * concurrent map. Two threads that meet an id for the first time may both ask for it, which is harmless.
 */
final class ConfluentSchemaRegistry implements SchemaRegistry {
    private static final String PREFIX = "schema.registry.";
    private static final String URL = PREFIX + "url";
    private static final List<String> FAMILIES =
            List.of("url", "basic.auth.", "bearer.auth.", "ssl.", "sasl.", "http.", "proxy.", "missing.");
    private static final int CACHE_CAPACITY = 1000;
    private static final int SUBJECT_NOT_FOUND = 40401;
    private static final int SCHEMA_NOT_FOUND = 40403;
    private static final Set<Integer> NOT_FOUND = Set.of(SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND);

    private final String urls;
    private final SchemaRegistryClient client;
    private final Map<Integer, Schema> schemas = new ConcurrentHashMap<>();

    private ConfluentSchemaRegistry(String urls, SchemaRegistryClient client) {
        this.urls = urls;
        this.client = client;
    }

    static ConfluentSchemaRegistry connect(Map<String, ?> configs) {
        Map<String, Object> own = new HashMap<>();
        configs.forEach((key, value) -> {
            if (key.startsWith(PREFIX) && value != null) {
                String name = key.substring(PREFIX.length());
                if (FAMILIES.stream().noneMatch(name::startsWith)) {
                    throw new ConfigException("Unknown key " + key + "; the known keys are "
                            + FAMILIES.stream()
                                    .map(family -> PREFIX + family + (family.endsWith(".") ? "*" : ""))
                                    .collect(Collectors.joining(", ")));
                }
                own.put(key, value);
                own.put(name, value); // the client expects authentication without the prefix, and TLS with it
            }
        });
        if (own.containsKey("basic.auth.user.info")) {
            own.putIfAbsent("basic.auth.credentials.source", "USER_INFO");
        }
        if (own.containsKey("bearer.auth.token")) {
            own.putIfAbsent("bearer.auth.credentials.source", "STATIC_TOKEN");
        }
        own.putIfAbsent("http.connect.timeout.ms", 3_000);
        own.putIfAbsent("http.read.timeout.ms", 5_000);

        List<String> urls = urls(configs.get(URL));
        try {
            return new ConfluentSchemaRegistry(
                    String.join(", ", urls),
                    new CachedSchemaRegistryClient(new CheckedRestService(urls), CACHE_CAPACITY, own));
        } catch (RuntimeException refused) {
            ConfigException exception = new ConfigException("The schema registry client refuses the " + PREFIX
                    + "* configuration: " + refused.getMessage() + ": " + rootOf(refused));
            exception.initCause(refused);
            throw exception;
        }
    }

    private static Throwable rootOf(Throwable failed) {
        Throwable root = failed;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    private static List<String> urls(Object value) {
        List<String> urls = value == null
                ? List.of()
                : Arrays.stream(value.toString().split(","))
                        .map(String::strip)
                        .filter(url -> !url.isEmpty())
                        .toList();
        if (urls.isEmpty()) {
            throw new ConfigException(URL, value, "set it to the registry's URL, such as http://localhost:8081");
        }
        for (String url : urls) {
            if (!isHttp(url)) {
                throw new ConfigException(URL, value, "'" + url + "' is not an http or https URL with a host");
            }
        }
        return urls;
    }

    private static boolean isHttp(String url) {
        try {
            URI uri = URI.create(url);
            return uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()));
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    @Override
    public int register(String subject, Schema schema) {
        AvroSchema candidate = new AvroSchema(schema.toString());
        String what = "register " + schema.getFullName() + " under subject " + subject;
        try {
            return client.getId(subject, candidate);
        } catch (RestClientException notThere) {
            if (!NOT_FOUND.contains(notThere.getErrorCode())) {
                throw translate(what, notThere);
            }
        } catch (IOException unreachable) {
            throw unavailable(what, unreachable);
        }
        try {
            return client.register(subject, candidate);
        } catch (RestClientException refused) {
            throw switch (refused.getStatus()) {
                case 409 ->
                    new InvalidConfigurationException(
                            problem(what, refused)
                                    + ". The subject has schemas that are not compatible with this version's: was its"
                                    + " topic written by a newer version or another application?",
                            refused);
                case 422 -> new InvalidConfigurationException(problem(what, refused), refused);
                default -> translate(what, refused);
            };
        } catch (IOException unreachable) {
            throw unavailable(what, unreachable);
        }
    }

    @Override
    public Schema schemaById(int id) {
        Schema known = schemas.get(id);
        if (known == null) {
            known = fetch(id);
            schemas.put(id, known);
        }
        return known;
    }

    private Schema fetch(int id) {
        String what = "look up schema id " + id;
        try {
            // with the schemas that it refers to filled in
            return parse(client.getSchemaById(id).formattedString("resolved"));
        } catch (RestClientException refused) {
            if (refused.getStatus() == 404 && refused.getErrorCode() == SCHEMA_NOT_FOUND) {
                throw new SerializationException(problem(what, refused), refused);
            }
            throw translate(what, refused);
        } catch (ForeignSchemaException foreign) {
            throw new SerializationException(
                    "Schema id " + id + " at " + urls + " belongs to " + foreign.getMessage()
                            + "; only Avro schemas are supported",
                    foreign);
        } catch (IOException failed) {
            // the client caches what a schema refers to, even if it is useless
            client.reset();
            throw unavailable(what, failed);
        }
    }

    /** Names and defaults were the registry's to judge; being stricter here would only lose records. */
    static Schema parse(String schema) {
        return new Schema.Parser(NameValidator.NO_VALIDATION)
                .setValidateDefaults(false)
                .parse(schema);
    }

    private KafkaException translate(String what, RestClientException refused) {
        String problem = problem(what, refused);
        return switch (refused.getStatus()) {
            case 401 ->
                new AuthenticationException(
                        problem + ". Check " + PREFIX + "basic.auth.user.info or " + PREFIX + "bearer.auth.*", refused);
            case 403 ->
                new AuthorizationException(
                        problem + ". Allow these credentials to read schemas and, unless schemas are registered"
                                + " beforehand, to register them",
                        refused);
            case 404 ->
                new RegistryUnavailableException(
                        problem + ". A registry does not answer like this: check " + URL + ", including its path",
                        refused);
            default -> new RegistryUnavailableException(problem, refused);
        };
    }

    private String problem(String what, RestClientException refused) {
        return "Cannot " + what + ": the schema registry at " + urls + " answered " + refused.getStatus() + ": "
                + refused.getMessage();
    }

    private RegistryUnavailableException unavailable(String what, IOException cause) {
        return new RegistryUnavailableException(
                "Cannot " + what + ": no usable answer from the schema registry at " + urls + " (" + cause
                        + "). Is it running, and is " + URL + " right?",
                cause);
    }

    @Override
    public void close() {
        try {
            client.close();
        } catch (IOException exception) {
            throw new KafkaException("Cannot close the schema registry client for " + urls, exception);
        }
    }
}
