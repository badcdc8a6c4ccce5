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
                        "Whether the console and its API are served on `http.port`. `local` always has them.")
                .define(
                        CONSOLE_HOSTS,
                        ConfigDef.Type.LIST,
                        List.of(),
                        ValidList.anyNonDuplicateValues(true, false),
                        LOW,
                        "Names by which the console may be asked for while `http.host` is a loopback address, comma-separated;"
                                + " a proxy in front of it passes its own. `localhost` and loopback addresses always may. Other"
                                + " names are refused: any web page could have one that resolves to this machine.")
                .define(
                        CONSOLE_TOKEN,
                        ConfigDef.Type.PASSWORD,
                        null,
                        MEDIUM,
                        "What whoever uses the console and its API must show: in the console's form, or as `Authorization:"
                                + " Bearer`. Default: nothing need be shown.")
                .define(
                        CONSOLE_WRITABLE,
                        ConfigDef.Type.BOOLEAN,
                        false,
                        MEDIUM,
                        "Whether labels may be changed through the console and its API. Beyond loopback that needs a"
                                + " `console.token`.")
                .define(
                        SEARCH_ENABLED,
                        ConfigDef.Type.BOOLEAN,
                        false,
                        MEDIUM,
                        "Whether this instance keeps a search index of all images under `state.dir`, for the console and its"
                                + " API. Each instance that does reads the whole tags topic, whatever its share of the work."
                                + " `local` always has it.");
    }
}
