/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import java.util.Locale;
import java.util.regex.Pattern;

/** Who takes processor time for an image, by the names of threads. */
enum CeilingStage {
    STREAMS("-StreamThread-\\d+$"),
    MODEL("^tagstream-inference"),
    FETCH("^tagstream-fetch|^HttpClient-|^httpclient-"),
    DECODE("^tagstream-decode"),
    /** The decoders' own processes. */
    DECODERS("a^"),
    KAFKA("^kafka-"),
    LABELS("^tagstream-.*label|-GlobalStreamThread$"),
    COMPILER("CompilerThread|^Sweeper"),
    COLLECTOR("^GC |^G1 |^VM Thread|^VM Periodic"),
    /** Among them those of RocksDB and ONNX Runtime, and those that have ended. */
    OTHERS("");

    private final Pattern threads;

    CeilingStage(String threads) {
        this.threads = Pattern.compile(threads);
    }

    static CeilingStage of(String thread) {
        for (CeilingStage stage : values()) {
            if (stage.threads.matcher(thread).find()) {
                return stage;
            }
        }
        return OTHERS;
    }

    /** Whether it gets pixels, which {@code bench ceiling} states apart. */
    boolean getsPixels() {
        return this == FETCH || this == DECODE || this == DECODERS;
    }

    /** Whether its threads work for images, and not for Java itself. */
    boolean isForImages() {
        return this != COMPILER && this != COLLECTOR;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
