/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleDescription;
import io.tagstream.model.bundle.BundleDescription.Image;
import io.tagstream.model.bundle.BundleDescription.TokenType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owns a bundle's sessions, whose inputs and outputs have been checked.
 *
 * <p><i>Threading notes.</i> Several threads may run a session at once; they share its one intra-op thread pool.
 */
final class Sessions implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);
    private static final String COSINE = "cosine.onnx";
    private static final String HALVE = "halve.onnx";
    private static final String WIDEN = "widen.onnx";

    private final OrtEnvironment environment = Environment.get();
    private final BundleDescription description;
    private final ExecutionProvider provider;
    private final List<OnDevice> devices;
    private final OrtSession cosine;
    private final TextSession text;
    private final Optional<Conversions> conversions;

    /** The graphs that convert tokens between single and half precision. */
    record Conversions(OrtSession halve, OrtSession widen) {
        void close() {
            Sessions.close(halve);
            Sessions.close(widen);
        }
    }

    /**
     * The image graphs on one device.
     *
     * @param name such as {@code cpu} or {@code cuda:0}
     * @param decoder empty if the bundle has none
     */
    record OnDevice(String name, OrtSession imageEncoder, Optional<OrtSession> decoder) implements AutoCloseable {
        @Override
        public void close() {
            Sessions.close(imageEncoder);
            decoder.ifPresent(Sessions::close);
        }
    }

    private Sessions(Bundle bundle, ExecutionProvider provider, int threads, DeviceOptions options) {
        this.description = bundle.description();
        this.provider = provider;
        // these compute too little to be worth several threads
        SessionFactory small = SessionFactory.onCpu(environment, 1);
        List<OnDevice> opened = new ArrayList<>();
        OrtSession openedCosine = null;
        Optional<Conversions> openedConversions = Optional.empty();
        TextSession openedText = null;
        try {
            for (int device : provider == ExecutionProvider.CPU ? List.of(0) : options.devices()) {
                opened.add(open(bundle, new SessionFactory(environment, provider, threads, device, options)));
            }
            openedCosine = small.open(bundle, COSINE, graph(COSINE));
            openedConversions = openConversions(bundle, small);
            openedText = new TextSession(environment, small, bundle);
        } finally {
            if (openedText == null) {
                opened.forEach(OnDevice::close);
                close(openedCosine);
                openedConversions.ifPresent(Conversions::close);
            }
        }
        this.conversions = openedConversions;
        this.devices = List.copyOf(opened);
        this.cosine = openedCosine;
        this.text = openedText;
    }

    private static OnDevice open(Bundle bundle, SessionFactory factory) {
        OrtSession encoder = openImageEncoder(bundle, factory);
        boolean complete = false;
        try {
            OnDevice device = new OnDevice(factory.deviceName(), encoder, openDecoder(bundle, factory));
            complete = true;
            return device;
        } finally {
            if (!complete) {
                close(encoder);
            }
        }
    }

    /**
     * Opens a bundle's sessions.
     *
     * @param wanted only {@link ExecutionProvider#AUTO} falls back to the CPU, and logs it
     * @param threads intra-op threads
     * @param options which GPUs, unless it is the CPU
     */
    static Sessions open(Bundle bundle, ExecutionProvider wanted, int threads, DeviceOptions options) {
        if (wanted != ExecutionProvider.AUTO) {
            return new Sessions(bundle, wanted, threads, options);
        }
        try {
            Sessions sessions = new Sessions(bundle, ExecutionProvider.CUDA, threads, options);
            LOG.info("execution provider auto: using cuda");
            return sessions;
        } catch (ExecutionProviderException e) {
            LOG.warn("execution provider auto: using cpu, because cuda is not available: {}", e.getMessage());
            return new Sessions(bundle, ExecutionProvider.CPU, threads, options);
        }
    }

    OrtEnvironment environment() {
        return environment;
    }

    BundleDescription description() {
        return description;
    }

    /** The provider in use, never {@link ExecutionProvider#AUTO}. */
    ExecutionProvider provider() {
        return provider;
    }

    /** Empty if the graphs need none. */
    Optional<Conversions> conversions() {
        return conversions;
    }

    /** At least one. */
    List<OnDevice> devices() {
        return devices;
    }

    OrtSession cosine() {
        return cosine;
    }

    TextSession text() {
        return text;
    }

    @Override
    public void close() {
        devices.forEach(OnDevice::close);
        close(cosine);
        conversions.ifPresent(Conversions::close);
        text.close();
    }

    static void close(OrtSession session) {
        if (session == null) {
            return;
        }
        try {
            session.close();
        } catch (OrtException e) {
            LOG.warn("an ONNX Runtime session did not close cleanly", e);
        }
    }

    private static OrtSession openImageEncoder(Bundle bundle, SessionFactory factory) {
        Image image = bundle.description().image();
        OrtSession session = factory.open(bundle, image.file(), bundle.imageEncoder());
        return checked(session, () -> {
            GraphContract contract = new GraphContract(bundle, image.file(), session)
                    .input("pixels", OnnxJavaType.UINT8, GraphContract.FREE, image.size(), image.size(), 3)
                    .output("embedding", OnnxJavaType.FLOAT, GraphContract.FREE, image.embeddingSize());
            if (bundle.decoder().isPresent()) {
                contract.output(
                        "tokens", TokenRows.typeOf(image), GraphContract.FREE, image.tokens(), image.tokenWidth());
            }
            contract.noInputsBut("pixels");
        });
    }

    private static Optional<OrtSession> openDecoder(Bundle bundle, SessionFactory factory) {
        Image image = bundle.description().image();
        Optional<BundleDescription.Decoder> described = bundle.description().decoder();
        if (described.isEmpty()) {
            return Optional.empty();
        }
        String file = described.get().file();
        OrtSession session = factory.open(bundle, file, bundle.decoder().orElseThrow());
        return Optional.of(checked(
                session,
                () -> new GraphContract(bundle, file, session)
                        .input(
                                "tokens",
                                TokenRows.typeOf(image),
                                GraphContract.FREE,
                                image.tokens(),
                                image.tokenWidth())
                        .input("labels", OnnxJavaType.FLOAT, GraphContract.FREE, image.embeddingSize())
                        .output("logits", OnnxJavaType.FLOAT, GraphContract.FREE, GraphContract.FREE)
                        .noInputsBut("tokens", "labels")));
    }

    private static OrtSession checked(OrtSession session, Runnable check) {
        boolean fits = false;
        try {
            check.run();
            fits = true;
            return session;
        } finally {
            if (!fits) {
                close(session);
            }
        }
    }

    private static Optional<Conversions> openConversions(Bundle bundle, SessionFactory factory) {
        BundleDescription description = bundle.description();
        if (description.decoder().isEmpty() || description.image().tokenPrecision() == TokenType.FLOAT16) {
            return Optional.empty();
        }
        OrtSession halve = factory.open(bundle, HALVE, graph(HALVE));
        boolean complete = false;
        try {
            Conversions opened = new Conversions(halve, factory.open(bundle, WIDEN, graph(WIDEN)));
            complete = true;
            return Optional.of(opened);
        } finally {
            if (!complete) {
                close(halve);
            }
        }
    }

    private static byte[] graph(String resource) {
        try (InputStream in = Sessions.class.getResourceAsStream(resource)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("this jar lacks " + resource, e);
        }
    }
}
