/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import static org.apache.kafka.common.config.ConfigDef.Importance.LOW;
import static org.apache.kafka.common.config.ConfigDef.Importance.MEDIUM;

import io.tagstream.topology.config.ConfigurationKeys;
import java.util.List;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ValidList;

/** The keys of the console and its search index. */
public final class ConsoleKeys implements ConfigurationKeys {
    public static final String CONSOLE_ENABLED = "console.enabled";
    public static final String CONSOLE_HOSTS = "console.hosts";
    public static final String CONSOLE_TOKEN = "console.token";
    public static final String CONSOLE_WRITABLE = "console.writable";
    public static final String SEARCH_ENABLED = "search.enabled";

    @Override
    public void define(ConfigDef definition) {
        definition
                .define(
                        CONSOLE_ENABLED,
                        ConfigDef.Type.BOOLEAN,
                        false,
                        MEDIUM,
                        "Whether to serve the console and its API on `http.port`. `local` always serves them.")
                .define(
                        CONSOLE_HOSTS,
                        ConfigDef.Type.LIST,
                        List.of(),
                        ValidList.anyNonDuplicateValues(true, false),
                        LOW,
                        "Host names that the console accepts while `http.host` is a loopback address, comma-separated;"
                                + " add the name of a proxy in front of it. `localhost` and loopback addresses are"
                                + " always accepted. Other names are refused: any web page could use one that resolves"
                                + " to this machine.")
                .define(
                        CONSOLE_TOKEN,
                        ConfigDef.Type.PASSWORD,
                        null,
                        MEDIUM,
                        "The token that the console and its API require: entered in the console's form, or sent as"
                                + " `Authorization: Bearer`. Default: no token is required.")
                .define(
                        CONSOLE_WRITABLE,
                        ConfigDef.Type.BOOLEAN,
                        false,
                        MEDIUM,
                        "Whether labels can be changed through the console and its API. Unless `http.host` is a"
                                + " loopback address, this requires a `console.token`.")
                .define(
                        SEARCH_ENABLED,
                        ConfigDef.Type.BOOLEAN,
                        false,
                        MEDIUM,
                        "Whether this instance keeps a search index of all images under `state.dir`, for the console"
                                + " and its API. Each instance that keeps one reads the whole tags topic, whatever its"
                                + " share of the work. `local` always keeps one.");
    }
}
