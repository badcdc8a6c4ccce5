/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where images may come from, and how much time and memory they may take.
 *
 * <p>The options that matter most: {@link Builder#fileRoots fileRoots} (without it, no file is read) and
 * {@link Builder#allowPrivateAddresses allowPrivateAddresses} (needed when images are served from a private network).
 */
public final class FetchOptions {
    /** The defaults. */
    public static final FetchOptions DEFAULT = builder().build();

    private static final Pattern USER_AGENT = Pattern.compile("[!-~]([ -~]*[!-~])?");

    private final List<Path> fileRoots;
    private final boolean allowPrivateAddresses;
    private final Duration timeout;
    private final Duration connectTimeout;
    private final int maxBytes;
    private final int maxDataUriBytes;
    private final int maxRedirects;
    private final int concurrency;
    private final String userAgent;
    private final long maxBufferedBytes;
    private final OptionNames optionNames;

    private FetchOptions(Builder builder) {
        this.fileRoots = builder.fileRoots;
        this.allowPrivateAddresses = builder.allowPrivateAddresses;
        this.timeout = builder.timeout;
        this.connectTimeout = builder.connectTimeout;
        this.maxBytes = builder.maxBytes;
        this.maxDataUriBytes = builder.maxDataUriBytes;
        this.maxRedirects = builder.maxRedirects;
        this.concurrency = builder.concurrency;
        this.userAgent = builder.userAgent;
        this.maxBufferedBytes = builder.maxBufferedBytes;
        this.optionNames = builder.optionNames;
    }

    /** A builder that begins with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    public List<Path> fileRoots() {
        return fileRoots;
    }

    public boolean allowPrivateAddresses() {
        return allowPrivateAddresses;
    }

    public Duration timeout() {
        return timeout;
    }

    public Duration connectTimeout() {
        return connectTimeout;
    }

    public int maxBytes() {
        return maxBytes;
    }

    public int maxDataUriBytes() {
        return maxDataUriBytes;
    }

    public int maxRedirects() {
        return maxRedirects;
    }

    public int concurrency() {
        return concurrency;
    }

    public String userAgent() {
        return userAgent;
    }

    public long maxBufferedBytes() {
        return maxBufferedBytes;
    }

    public OptionNames optionNames() {
        return optionNames;
    }

    /** Builds {@link FetchOptions}. */
    public static final class Builder {
        private List<Path> fileRoots = List.of();
        private boolean allowPrivateAddresses;
        private Duration timeout = Duration.ofSeconds(30);
        private Duration connectTimeout = Duration.ofSeconds(5);
        private int maxBytes = 32 << 20;
        private int maxDataUriBytes = 1 << 20;
        private int maxRedirects = 5;
        private int concurrency = 96;
        private String userAgent = "Tagstream";
        private long maxBufferedBytes = 128L << 20;
        private OptionNames optionNames = OptionNames.OF_THE_LIBRARY;

        private Builder() {}

        /** Folders whose files {@code file:} URIs may name, symbolic links followed. Default: none. */
        public Builder fileRoots(List<Path> fileRoots) {
            this.fileRoots = List.copyOf(fileRoots);
            return this;
        }

        /** Whether loopback, link-local, private and metadata addresses may be connected to. Default: no. */
        public Builder allowPrivateAddresses(boolean allowPrivateAddresses) {
            this.allowPrivateAddresses = allowPrivateAddresses;
            return this;
        }

        /** How long a fetch may take, from looking up the host to the last byte, redirects included. */
        public Builder timeout(Duration timeout) {
            this.timeout = positive("timeout", timeout);
            return this;
        }

        /** How long making a connection may take, TLS included. */
        public Builder connectTimeout(Duration connectTimeout) {
            this.connectTimeout = positive("connectTimeout", connectTimeout);
            return this;
        }

        /** The largest image, in bytes. */
        public Builder maxBytes(int maxBytes) {
            this.maxBytes = positive("maxBytes", maxBytes);
            return this;
        }

        /** The largest image in a {@code data:} URI, in bytes. */
        public Builder maxDataUriBytes(int maxDataUriBytes) {
            this.maxDataUriBytes = positive("maxDataUriBytes", maxDataUriBytes);
            return this;
        }

        /** The most redirects that one fetch follows; 0 for none. */
        public Builder maxRedirects(int maxRedirects) {
            if (maxRedirects < 0) {
                throw new IllegalArgumentException("maxRedirects must be 0 or more, not " + maxRedirects);
            }
            this.maxRedirects = maxRedirects;
            return this;
        }

        /**
         * How many images are fetched at the same time, each by its own thread. One source gets three quarters of them at
         * most.
         */
        public Builder concurrency(int concurrency) {
            this.concurrency = positive("concurrency", concurrency);
            return this;
        }

        /**
         * What image hosts are told about who asks, such as a name with an address for questions. Default:
         * {@code Tagstream}.
         *
         * @throws IllegalArgumentException if it has other characters than printable ASCII, or none
         */
        public Builder userAgent(String userAgent) {
            if (!USER_AGENT.matcher(userAgent).matches()) {
                throw new IllegalArgumentException("userAgent must consist of printable ASCII characters");
            }
            this.userAgent = userAgent;
            return this;
        }

        /**
         * About how many bytes of images may be in memory while they are fetched or wait to be decoded. Never less than
         * {@code concurrency} and {@code maxBytes} need.
         */
        public Builder maxBufferedBytes(long maxBufferedBytes) {
            if (maxBufferedBytes < 1) {
                throw new IllegalArgumentException("maxBufferedBytes must be above 0, not " + maxBufferedBytes);
            }
            this.maxBufferedBytes = maxBufferedBytes;
            return this;
        }

        /** What messages call the options. Default: the names of these methods. */
        public Builder optionNames(OptionNames optionNames) {
            this.optionNames = optionNames;
            return this;
        }

        public FetchOptions build() {
            return new FetchOptions(this);
        }

        private static Duration positive(String name, Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException(name + " must be above 0, not " + value);
            }
            return value;
        }

        private static int positive(String name, int value) {
            if (value < 1) {
                throw new IllegalArgumentException(name + " must be above 0, not " + value);
            }
            return value;
        }
    }
}
