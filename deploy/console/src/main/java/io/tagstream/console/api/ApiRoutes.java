/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import java.util.ArrayList;
import java.util.List;

/** Registers routes and records them, so that the API's description can be checked against them. */
final class ApiRoutes {
    private final RoutesConfig routes;
    private final List<String> registered = new ArrayList<>();

    ApiRoutes(RoutesConfig routes) {
        this.routes = routes;
    }

    ApiRoutes get(String path, Handler handler) {
        return add(HandlerType.GET, path, handler);
    }

    ApiRoutes post(String path, Handler handler) {
        return add(HandlerType.POST, path, handler);
    }

    ApiRoutes put(String path, Handler handler) {
        return add(HandlerType.PUT, path, handler);
    }

    ApiRoutes delete(String path, Handler handler) {
        return add(HandlerType.DELETE, path, handler);
    }

    private ApiRoutes add(HandlerType method, String path, Handler handler) {
        routes.addHttpHandler(method, path, handler);
        registered.add(method + " " + path);
        return this;
    }

    /** The method and path of every route. */
    List<String> registered() {
        return List.copyOf(registered);
    }
}
