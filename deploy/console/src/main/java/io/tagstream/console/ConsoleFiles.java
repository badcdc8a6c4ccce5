/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/**
 * The page's files, each with its own path and held in memory: a request's path is never looked up in a file system or
 * a jar.
 */
final class ConsoleFiles {
    private static final String[] OWN = {
        "api.js",
        "app.js",
        "console.css",
        "events.js",
        "format.js",
        "health.js",
        "icon.svg",
        "image.js",
        "login.js",
        "page.js",
        "parts.js",
        "search.js",
        "theme.js",
        "vocabulary.js",
        "wall.js"
    };
    private static final String[] LIT = {
        "lit-html.js", "directive.js", "directive-helpers.js", "directives/live.js", "directives/repeat.js"
    };
    private static final Map<String, String> TYPES = Map.of(
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml",
            "html", "text/html; charset=utf-8");

    private final Map<String, ConsoleFile> files = new TreeMap<>();

    /** A file in memory. */
    private static final class ConsoleFile {
        private final byte[] content;
        private final String type;
        private final String tag;

        ConsoleFile(byte[] content, String type) {
            this.content = content;
            this.type = type;
            this.tag = "\"" + digest(content) + "\"";
        }
    }

    ConsoleFiles() {
        add("/", "index.html", own("index.html"));
        for (String name : OWN) {
            add("/console/" + name, name, own(name));
        }
        for (String name : LIT) {
            add("/console/lit/" + name, name, library("lit-html", name));
        }
        add("/console/pico.css", "pico.css", library("picocss__pico", "css/pico.min.css"));
    }

    void register(RoutesConfig routes) {
        files.forEach((path, file) -> routes.get(path, request -> serve(request, file)));
    }

    private static void serve(Context request, ConsoleFile file) {
        // no-cache: browsers may keep a file but must revalidate it, so that the page and its files always match
        request.header("Cache-Control", "no-cache").header("ETag", file.tag);
        if (file.tag.equals(request.header("If-None-Match"))) {
            request.status(HttpStatus.NOT_MODIFIED);
        } else {
            request.contentType(file.type).result(file.content);
        }
    }

    private void add(String path, String name, byte[] content) {
        String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        files.put(path, new ConsoleFile(content, type));
    }

    private static byte[] own(String name) {
        return read("/io/tagstream/console/pages/" + name);
    }

    /** A file of a library that comes as a WebJar; the library's jar names its version. */
    private static byte[] library(String artifact, String name) {
        String properties = "/META-INF/maven/org.webjars.npm/%s/pom.properties".formatted(artifact);
        Properties about = new Properties();
        try (InputStream in = open(properties)) {
            about.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(properties + " cannot be read", e);
        }
        return read("/META-INF/resources/webjars/%s/%s/%s".formatted(artifact, about.getProperty("version"), name));
    }

    private static byte[] read(String resource) {
        try (InputStream in = open(resource)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(resource + " cannot be read", e);
        }
    }

    private static InputStream open(String resource) throws IOException {
        InputStream in = ConsoleFiles.class.getResourceAsStream(resource);
        if (in == null) {
            throw new IOException(resource + " is missing from the jars");
        }
        return in;
    }

    private static String digest(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform supports SHA-256", e);
        }
    }
}
