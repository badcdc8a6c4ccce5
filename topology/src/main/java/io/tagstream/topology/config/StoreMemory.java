/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.config;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * Bounds what all stores of the process keep in memory together. Kafka Streams' default bounds each store of each
 * partition by itself: a cache of 50 MB and up to three write buffers of 16 MB, which are full of features soon.
 *
 * <p><i>Threading notes.</i> Thread-safe.
 */
public final class StoreMemory implements RocksDBConfigSetter {
    private static final long MIB = 1024L * 1024;

    /** For blocks that were read, indexes, filters and write buffers. */
    private static final long BYTES = 64 * MIB;

    private static final long WRITE_BUFFER_BYTES = 32 * MIB;

    /** Made when the first store opens, and never closed: stores may open again at any time. */
    private static final class Shared {
        static final Cache CACHE;
        static final WriteBufferManager WRITE_BUFFERS;

        static {
            RocksDB.loadLibrary();
            CACHE = new LRUCache(BYTES);
            WRITE_BUFFERS = new WriteBufferManager(WRITE_BUFFER_BYTES, CACHE);
        }

        private Shared() {}
    }

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig tables = (BlockBasedTableConfig) options.tableFormatConfig();
        tables.setBlockCache(Shared.CACHE);
        tables.setCacheIndexAndFilterBlocks(true);
        options.setTableFormatConfig(tables);
        options.setWriteBufferManager(Shared.WRITE_BUFFERS);
    }

    @Override
    public void close(String storeName, Options options) {
        // everything is shared
    }
}
