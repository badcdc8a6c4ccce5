/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cluster.settings;

import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigException;

/**
 * The settings given to a command, in layers: the installation's defaults, a properties file over them, environment
 * variables over it, flags over all.
 *
 * <p>The variable of a key is {@value #PREFIX} and the key in upper case with underscores for dots and hyphens:
 * {@code TAGSTREAM_TAG_CHANGES_TOPIC} sets {@code tag-changes.topic}. After a pass-through prefix, every underscore
 * stands for a dot: {@code TAGSTREAM_KAFKA_SASL_MECHANISM} sets {@code kafka.sasl.mechanism}.
 */
public final class Settings {
    static final String PREFIX = "TAGSTREAM_";
    /** System property: the directory of the installation. */
    private static final String HOME = "tagstream.home";

    private static final String DEFAULTS = "defaults.properties";
    /** Variables of the launcher, which are not settings. */
    private static final Set<String> LAUNCHER_VARIABLES = Set.of("TAGSTREAM_JAVA_OPTS");

    private final Map<String, Setting> settings = new TreeMap<>();

    /** A value and where it came from, for messages. */
    private record Setting(Object value, String origin) {}

    /** Begins with the defaults of the installation, if it has a file {@value #DEFAULTS}. */
    public Settings() {
        Path defaults = Path.of(System.getProperty(HOME, ""), DEFAULTS);
        if (System.getProperty(HOME) != null && Files.exists(defaults)) {
            file(defaults);
        }
    }

    /** Adds the settings of a properties file (UTF-8). */
    public Settings file(Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(reader);
        } catch (NoSuchFileException e) {
            throw OperatorException.invalid("configuration file " + file + " does not exist", e);
        } catch (IOException | IllegalArgumentException e) {
            throw OperatorException.invalid("configuration file " + file + " cannot be read: " + e, e);
        }
        properties.stringPropertyNames().forEach(key -> put(key, properties.getProperty(key), file.toString()));
        return this;
    }

    /** Adds the settings of an environment. */
    public Settings environment(Map<String, String> environment) {
        environment.forEach((variable, value) -> {
            if (variable.startsWith(PREFIX) && !LAUNCHER_VARIABLES.contains(variable)) {
                put(key(variable), value, "environment variable " + variable);
            }
        });
        return this;
    }

    /** Adds settings given as flags. */
    public Settings flags(Map<String, String> flags) {
        flags.forEach((key, value) -> put(key, value, "--set"));
        return this;
    }

    /** Adds a setting that the command itself makes, as text or in the key's own type. */
    public Settings with(String key, Object value) {
        settings.put(key, new Setting(value, "this command"));
        return this;
    }

    /** Adds a setting unless a layer has it already. */
    public Settings withDefault(String key, Object value) {
        return has(key) ? this : with(key, value);
    }

    /** Whether a layer has set the key. */
    public boolean has(String key) {
        return settings.containsKey(key);
    }

    /**
     * Returns the configuration that the layers add up to.
     *
     * @throws OperatorException of kind INVALID, naming the key and where it was set, if a key is unknown or its value
     *     is invalid
     */
    public TagstreamConfig config() {
        Map<String, Object> values = new HashMap<>();
        settings.forEach((key, setting) -> values.put(key, setting.value()));
        try {
            return new TagstreamConfig(values);
        } catch (ConfigException e) {
            throw OperatorException.invalid(e.getMessage() + origins(e.getMessage()), e);
        }
    }

    private String origins(String message) {
        return settings.entrySet().stream()
                .filter(entry -> mentions(message, entry.getKey()))
                .findFirst()
                .map(entry -> " (" + entry.getKey() + " was set by "
                        + entry.getValue().origin() + ")")
                .orElse("");
    }

    private static boolean mentions(String message, String key) {
        return (" " + message + " ")
                .matches("(?s).*[\\s\"'`]" + java.util.regex.Pattern.quote(key) + "[\\s\"'`:;,.].*");
    }

    private void put(String key, String value, String origin) {
        settings.put(key, new Setting(value.strip(), origin));
    }

    private static String key(String variable) {
        for (String key : TagstreamConfig.definition().names()) {
            if (variable(key).equals(variable)) {
                return key;
            }
        }
        return variable.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '.');
    }

    static String variable(String key) {
        return PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }
}
