/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.bundle;

/** A bundle cannot be used. The message names the bundle, the file, what was expected and what was found. */
public final class BundleException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String file;

    /**
     * @param location the bundle's directory or {@code classpath:} name
     * @param file the file that is wrong
     * @param expected what the file should be or contain
     * @param found what the file is or contains
     */
    public BundleException(String location, String file, String expected, String found) {
        this(location, file, expected, found, null);
    }

    public BundleException(String location, String file, String expected, String found, Throwable cause) {
        super("bundle %s: %s: expected %s, found %s".formatted(location, file, expected, found), cause);
        this.file = file;
    }

    /** The file that is wrong, by its name in the bundle. */
    public String file() {
        return file;
    }
}
