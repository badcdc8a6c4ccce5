/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * A task's store in one of its lives: sorted by the keys' bytes, like the real ones. Every write goes to the changelog
 * too.
 */
final class SimulatedStore<K, V> implements KeyValueStore<K, V> {
    private final String name;
    private final Serde<K> keys;
    private final Serde<V> values;
    private final NavigableMap<Bytes, byte[]> entries;
    private final BiConsumer<Bytes, byte[]> changelog;

    /** @param restored the entries of the changelog, as committed; copied */
    SimulatedStore(
            String name,
            Serde<K> keys,
            Serde<V> values,
            NavigableMap<Bytes, byte[]> restored,
            BiConsumer<Bytes, byte[]> changelog) {
        this.name = name;
        this.keys = keys;
        this.values = values;
        this.entries = new TreeMap<>(restored);
        this.changelog = changelog;
    }

    private Bytes key(K key) {
        return Bytes.wrap(keys.serializer().serialize(null, key));
    }

    @Override
    public V get(K key) {
        return value(entries.get(key(key)));
    }

    private V value(byte[] bytes) {
        return bytes == null ? null : values.deserializer().deserialize(null, bytes);
    }

    @Override
    public void put(K key, V value) {
        write(key(key), value == null ? null : values.serializer().serialize(null, value));
    }

    private void write(Bytes key, byte[] value) {
        if (value == null) {
            entries.remove(key);
        } else {
            entries.put(key, value);
        }
        changelog.accept(key, value);
    }

    @Override
    public V putIfAbsent(K key, V value) {
        V before = get(key);
        if (before == null) {
            put(key, value);
        }
        return before;
    }

    @Override
    public void putAll(List<KeyValue<K, V>> some) {
        some.forEach(entry -> put(entry.key, entry.value));
    }

    @Override
    public V delete(K key) {
        V before = get(key);
        write(key(key), null);
        return before;
    }

    @Override
    public KeyValueIterator<K, V> range(K from, K to) {
        return iterate(between(from, to));
    }

    @Override
    public KeyValueIterator<K, V> reverseRange(K from, K to) {
        return iterate(between(from, to).descendingMap());
    }

    private NavigableMap<Bytes, byte[]> between(K from, K to) {
        Bytes first = from == null ? null : key(from);
        Bytes last = to == null ? null : key(to);
        if (first != null && last != null && first.compareTo(last) > 0) {
            return new TreeMap<>();
        }
        NavigableMap<Bytes, byte[]> some = first == null ? entries : entries.tailMap(first, true);
        return last == null ? some : some.headMap(last, true);
    }

    @Override
    public KeyValueIterator<K, V> all() {
        return iterate(entries);
    }

    @Override
    public long approximateNumEntries() {
        return entries.size();
    }

    private KeyValueIterator<K, V> iterate(NavigableMap<Bytes, byte[]> some) {
        return new Entries(some.entrySet().stream()
                .map(entry -> Map.entry(entry.getKey(), entry.getValue()))
                .toList());
    }

    /** Entries as they were when the iterator was made. */
    private final class Entries implements KeyValueIterator<K, V> {
        private final List<Map.Entry<Bytes, byte[]>> rest;
        private int next;

        Entries(List<Map.Entry<Bytes, byte[]>> rest) {
            this.rest = rest;
        }

        @Override
        public boolean hasNext() {
            return next < rest.size();
        }

        @Override
        public KeyValue<K, V> next() {
            Map.Entry<Bytes, byte[]> entry = rest.get(next++);
            return KeyValue.pair(
                    keys.deserializer().deserialize(null, entry.getKey().get()), value(entry.getValue()));
        }

        @Override
        public K peekNextKey() {
            return keys.deserializer().deserialize(null, rest.get(next).getKey().get());
        }

        @Override
        public void close() {}
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {}

    @Override
    public void close() {}

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return true;
    }
}
