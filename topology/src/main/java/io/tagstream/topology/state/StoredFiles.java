/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.state;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * The files of one task's stores, while no task has them open. Opening a store reads the ends and indexes of all its
 * files, but not the data in them: for features that would take too long. Damaged data shows when it is needed.
 */
final class StoredFiles {
    private static final String STORES = "rocksdb";
    /** The file that names the list of a store's files. */
    private static final String CURRENT = "CURRENT";

    private static final String CHECKPOINT = ".checkpoint";

    /** A topic, its partition and an offset. */
    private static final Pattern CHECKPOINT_LINE = Pattern.compile("\\S+ \\d+ -?\\d+");

    /** The version, and the number of lines that follow. */
    private static final int CHECKPOINT_HEAD = 2;

    /** Where a store keeps how much of its changelog it contains. */
    private static final byte[] OFFSETS = "offsets".getBytes(StandardCharsets.UTF_8);

    private final Path directory;

    StoredFiles(Path directory) {
        this.directory = directory;
    }

    /**
     * Reads what Kafka Streams will read when it opens the stores.
     *
     * @throws RocksDBException if a store cannot be opened
     * @throws IOException if a checkpoint cannot be read
     */
    void read() throws RocksDBException, IOException {
        readCheckpoint();
        Path stores = directory.resolve(STORES);
        if (!Files.isDirectory(stores)) {
            return;
        }
        List<Path> each;
        try (Stream<Path> entries = Files.list(stores)) {
            each = entries.filter(Files::isDirectory).sorted().toList();
        }
        for (Path store : each) {
            if (isNew(store)) {
                continue;
            }
            if (!Files.exists(store.resolve(CURRENT))) {
                throw new NoSuchFileException(store.resolve(CURRENT) + " is missing");
            }
            open(store.toString());
        }
    }

    /** Whether a store was never opened. */
    private static boolean isNew(Path store) throws IOException {
        try (Stream<Path> entries = Files.list(store)) {
            return entries.findAny().isEmpty();
        }
    }

    /** Versions of Kafka Streams before 4.3 leave such a file; the stores take it over. */
    private void readCheckpoint() throws IOException {
        Path checkpoint = directory.resolve(CHECKPOINT);
        if (Files.exists(checkpoint)) {
            List<String> lines = Files.readAllLines(checkpoint, StandardCharsets.ISO_8859_1);
            if (lines.size() < CHECKPOINT_HEAD
                    || !lines.stream().skip(CHECKPOINT_HEAD).allMatch(CHECKPOINT_LINE.asMatchPredicate())) {
                throw new IOException(checkpoint + " is not a checkpoint");
            }
        }
    }

    private static void open(String store) throws RocksDBException {
        RocksDB.loadLibrary();
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try (Options options = new Options();
                DBOptions quiet = new DBOptions()
                        .setInfoLogLevel(InfoLogLevel.ERROR_LEVEL)
                        .setKeepLogFileNum(1)) {
            List<byte[]> names = RocksDB.listColumnFamilies(options, store);
            List<ColumnFamilyDescriptor> families = (names.isEmpty() ? List.of(RocksDB.DEFAULT_COLUMN_FAMILY) : names)
                    .stream().map(ColumnFamilyDescriptor::new).toList(); // no names: opening will say what is wrong
            try (RocksDB opened = RocksDB.openReadOnly(quiet, store, families, handles)) {
                for (ColumnFamilyHandle family : handles) {
                    if (Arrays.equals(family.getName(), OFFSETS)) {
                        readAll(opened, family);
                    }
                    family.close();
                }
            }
        }
    }

    private static void readAll(RocksDB opened, ColumnFamilyHandle family) throws RocksDBException {
        try (RocksIterator entries = opened.newIterator(family)) {
            entries.seekToFirst();
            while (entries.isValid()) {
                entries.next();
            }
            entries.status();
        }
    }
}
