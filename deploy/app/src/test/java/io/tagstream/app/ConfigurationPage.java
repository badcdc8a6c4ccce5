/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import io.tagstream.topology.config.TagstreamConfig;
import java.util.Comparator;
import java.util.Locale;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;

/** The configuration's documentation, rendered from the code that defines it. */
public final class ConfigurationPage {
    private ConfigurationPage() {}

    /** The page as Markdown: every key, sorted by name, with its type, default and documentation. */
    public static String render() {
        StringBuilder page = new StringBuilder();
        page.append("# Configuration\n\n");
        page.append(
                "Generated from `TagstreamConfig` and the `ConfigurationKeys` of each module; a test fails when this"
                        + " page is stale.\n\n");
        page.append("Keys come from a properties file (`--config`), from the environment (`TAGSTREAM_` and the key in"
                + " upper case with underscores, such as `TAGSTREAM_IMAGES_TOPIC`) and from `--set KEY=VALUE`; each"
                + " overrides the one before. Keys that begin with `kafka.` go to Kafka Streams and its clients,"
                + " without the prefix.\n\n");
        page.append("| key | type | default | meaning |\n|---|---|---|---|\n");
        TagstreamConfig.definition().configKeys().values().stream()
                .sorted(Comparator.comparing((ConfigKey key) -> key.name))
                .forEach(key -> page.append("| `%s` | %s | %s | %s |\n"
                        .formatted(
                                key.name,
                                key.type.name().toLowerCase(Locale.ROOT),
                                defaultOf(key),
                                key.documentation.replace("|", "\\|"))));
        return page.toString();
    }

    private static String defaultOf(ConfigKey key) {
        if (key.defaultValue == ConfigDef.NO_DEFAULT_VALUE) {
            return "required";
        }
        if (key.defaultValue == null) {
            return "";
        }
        String value = ConfigDef.convertToString(key.defaultValue, key.type)
                .replace(System.getProperty("java.io.tmpdir"), "${java.io.tmpdir}");
        return value.isEmpty() ? "" : "`" + value + "`";
    }
}
