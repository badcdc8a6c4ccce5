/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.cluster.OperatorException;
import io.tagstream.feed.IndexKeeper;
import io.tagstream.feed.IndexOrigin;
import io.tagstream.feed.TagDocument;
import io.tagstream.feed.TagIndex;
import io.tagstream.feed.TagsTopic;
import io.tagstream.feed.opensearch.SearchServer.Answer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The indices behind an alias: creates and checks them, and moves the alias.
 *
 * <p>Searches go to the alias, whose filter hides the documents of deleted images. It points to one index, {@code
 * ALIAS-000001} at first; an index built anew gets the next number.
 *
 * <p><i>Threading notes.</i> Thread-safe; all state is on the server.
 */
final class AliasKeeper implements IndexKeeper {
    private static final Logger log = LoggerFactory.getLogger(AliasKeeper.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SearchServer server;
    private final String alias;
    private final Pattern numbered;

    /** {@code alias} is the name that searches use. */
    AliasKeeper(SearchServer server, String alias) {
        this.server = server;
        this.alias = alias;
        this.numbered = Pattern.compile(Pattern.quote(alias) + "-(\\d{6,9})");
    }

    /**
     * The alias that the feed writes through. It disappears with the index, and the server then refuses a write through
     * it. A write to a missing index would instead create an index without this mapping.
     */
    static String writeAlias(TagIndex index) {
        return writeAlias(index.name());
    }

    private static String writeAlias(String index) {
        return index + "-write";
    }

    /** The filter of the alias. */
    private static ObjectNode filter() {
        ObjectNode filter = JSON.createObjectNode();
        filter.putObject("bool").putObject("must_not").putObject("term").put(TagDocument.DELETED, true);
        return filter;
    }

    @Override
    public TagIndex open(TagsTopic topic) {
        Optional<TagIndex> present = current();
        if (present.isEmpty()) {
            return create(alias + "-000001", topic, true);
        }
        TagIndex index = present.get();
        check(index, topic);
        return index;
    }

    private void check(TagIndex index, TagsTopic topic) {
        IndexOrigin origin = index.origin();
        String refusal = null;
        if (!origin.topic().equals(topic.name())) {
            refusal = "it was made from topic %s, not %s".formatted(origin.topic(), topic.name());
        } else if (!origin.topicId().equals(topic.id())) {
            refusal = "topic %s was recreated: its id is now %s, but the index was made from %s"
                    .formatted(topic.name(), topic.id(), origin.topicId());
        } else if (origin.partitions() != topic.partitions()) {
            refusal = "topic %s had %d partitions when the index was made, but has %d now"
                    .formatted(topic.name(), origin.partitions(), topic.partitions());
        } else if (origin.documentVersion() != TagDocument.VERSION) {
            refusal = "its documents have version %d, but this Tagstream writes version %d"
                    .formatted(origin.documentVersion(), TagDocument.VERSION);
        } else if (origin.currentAt().plus(topic.deleteRetention()).isBefore(Instant.now())) {
            refusal = "it was last complete at %s, and topic %s keeps deletions for only %s (delete.retention.ms), so"
                            .formatted(origin.currentAt(), topic.name(), topic.deleteRetention())
                    + " it may hold images deleted since";
        }
        if (refusal != null) {
            throw OperatorException.failed(
                    "index %s cannot be fed: %s; use --recreate to rebuild it".formatted(index.name(), refusal));
        }
        List<String> conflicts = IndexMapping.conflicts(mapping(index.name()));
        if (!conflicts.isEmpty()) {
            throw OperatorException.failed(
                    "index %s cannot be fed because of its mapping: %s; use --recreate to rebuild it,"
                                    .formatted(index.name(), String.join("; ", conflicts))
                            + " and check whether an index template is the cause");
        }
    }

    @Override
    public Optional<TagIndex> current() {
        Answer answer = server.request("GET", "/" + alias, null);
        if (answer.notFound()) {
            return Optional.empty();
        }
        if (!answer.ok()) {
            throw OperatorException.failed("alias %s cannot be looked up: %s".formatted(alias, answer.reason()));
        }
        if (answer.body().has(alias)) {
            throw OperatorException.failed(
                    "%s is an index, but the feed needs that name for an alias; name another with --index, or delete it"
                            .formatted(alias));
        }
        List<TagIndex> found = indices(answer.body());
        if (found.size() != 1 || answer.body().size() != 1) {
            List<String> names = new ArrayList<>();
            answer.body().fieldNames().forEachRemaining(names::add);
            throw OperatorException.failed(
                    "alias %s points to %s, but must point to a single index, created by the feed; name another"
                                    .formatted(alias, String.join(", ", names))
                            + " with --index, or remove the alias");
        }
        return Optional.of(found.get(0));
    }

    /** The indices in an answer that the feed has made. */
    private static List<TagIndex> indices(JsonNode answer) {
        List<TagIndex> found = new ArrayList<>();
        for (Map.Entry<String, JsonNode> index : answer.properties()) {
            String uuid =
                    index.getValue().path("settings").path("index").path("uuid").asText();
            IndexOrigin.of(index.getValue().path("mappings"))
                    .ifPresent(origin -> found.add(new TagIndex(index.getKey(), uuid, origin)));
        }
        return found;
    }

    private JsonNode mapping(String index) {
        return server.required("GET", "/" + index + "/_mapping", null)
                .path(index)
                .path("mappings");
    }

    private TagIndex create(String name, TagsTopic topic, boolean searchable) {
        ObjectNode body = JSON.createObjectNode();
        ObjectNode aliases = body.putObject("aliases");
        aliases.putObject(writeAlias(name));
        if (searchable) {
            aliases.putObject(alias).set("filter", filter());
        }
        ObjectNode mapping = IndexMapping.wanted();
        mapping.set("_meta", IndexOrigin.of(topic, Instant.now()).meta());
        body.set("mappings", mapping);
        Answer answer = server.request("PUT", "/" + name, body);
        boolean raced = !answer.ok()
                && answer.body().path("error").path("type").asText().equals("resource_already_exists_exception");
        if (!answer.ok() && !raced) {
            throw OperatorException.failed(
                    "index %s cannot be created: %s; check whether an index template for %s-* conflicts with its fields"
                            .formatted(name, answer.reason(), alias));
        }
        TagIndex index = lookUp(name);
        if (raced && searchable && current().isEmpty()) {
            throw OperatorException.failed(
                    "index %s exists, but alias %s does not; restore the alias, or delete the index"
                            .formatted(name, alias));
        }
        check(index, topic); // a template may have changed it, or another instance may have been faster
        if (!raced) {
            log.info("Created index {}", name);
        }
        return index;
    }

    private TagIndex lookUp(String name) {
        return indices(server.required("GET", "/" + name, null)).stream()
                .findFirst()
                .orElseThrow(() -> OperatorException.failed(
                        "index %s exists but was not created by the feed; delete it, or name another alias with --index"
                                .formatted(name)));
    }

    @Override
    public TagIndex openBeside(TagsTopic topic) {
        Optional<TagIndex> present = current();
        NavigableMap<Integer, TagIndex> made = generations();
        int newest = present.map(this::number).orElse(0);
        for (TagIndex begun : made.tailMap(newest, false).values()) {
            if (begun.origin().sameAs(IndexOrigin.of(topic, begun.origin().currentAt()))) {
                log.info("Index {} was begun earlier; continuing with it", begun.name());
                check(begun, topic);
                return begun;
            }
            log.info("Deleting unfinished index {}: its topic or its documents' version has changed", begun.name());
            delete(begun);
        }
        int next = Math.max(newest, made.isEmpty() ? 0 : made.lastKey()) + 1;
        return create("%s-%06d".formatted(alias, next), topic, false);
    }

    private NavigableMap<Integer, TagIndex> generations() {
        NavigableMap<Integer, TagIndex> generations = new TreeMap<>();
        for (TagIndex index : indices(server.required("GET", "/" + alias + "-*", null))) {
            if (numbered.matcher(index.name()).matches()) {
                generations.put(number(index), index);
            }
        }
        return generations;
    }

    private int number(TagIndex index) {
        Matcher matcher = numbered.matcher(index.name());
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    @Override
    public void switchTo(TagIndex index) {
        List<TagIndex> previous =
                new ArrayList<>(generations().headMap(number(index), false).values());
        current()
                .filter(present -> !present.name().equals(index.name())
                        && previous.stream().noneMatch(other -> other.name().equals(present.name())))
                .ifPresent(previous::add);
        refresh(index);
        ObjectNode body = JSON.createObjectNode();
        ArrayNode actions = body.putArray("actions");
        current()
                .ifPresent(present -> actions.addObject()
                        .putObject("remove")
                        .put("index", present.name())
                        .put("alias", alias));
        actions.addObject()
                .putObject("add")
                .put("index", index.name())
                .put("alias", alias)
                .set("filter", filter());
        server.required("POST", "/_aliases", body);
        log.info("Searches on {} now go to index {}", alias, index.name());
        previous.forEach(this::delete);
    }

    private void delete(TagIndex index) {
        Answer answer = server.request("DELETE", "/" + index.name(), null);
        if (!answer.ok() && !answer.notFound()) {
            log.warn("Index {} is no longer needed but cannot be deleted: {}", index.name(), answer.reason());
        }
    }

    @Override
    public void refresh(TagIndex index) {
        server.required("POST", "/" + index.name() + "/_refresh", null);
    }

    @Override
    public void remember(TagIndex index, Instant when) {
        ObjectNode body = JSON.createObjectNode();
        body.set("_meta", index.origin().currentAt(when).meta());
        server.required("PUT", "/" + index.name() + "/_mapping", body);
    }

    @Override
    public Optional<String> trouble(TagIndex index, boolean searchable) {
        Answer answer = server.request("GET", "/" + index.name(), null);
        if (answer.notFound()) {
            return Optional.of("index %s no longer exists; the next start creates a new one".formatted(index.name()));
        }
        boolean same =
                indices(answer.body()).stream().anyMatch(found -> found.uuid().equals(index.uuid()));
        if (!same) {
            return Optional.of("index %s was recreated by someone else".formatted(index.name()));
        }
        boolean behind = answer.body().path(index.name()).path("aliases").has(alias);
        return searchable && !behind
                ? Optional.of("alias %s no longer points to index %s; the next start feeds the one that it points to"
                        .formatted(alias, index.name()))
                : Optional.empty();
    }
}
