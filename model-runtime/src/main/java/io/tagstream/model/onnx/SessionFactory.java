/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import ai.onnxruntime.providers.OrtTensorRTProviderOptions;
import io.tagstream.model.bundle.Bundle;
import io.tagstream.model.bundle.BundleException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Opens sessions on one execution provider, or says why it does not work. */
final class SessionFactory {
    private static final Pattern LIBRARY = Pattern.compile(
            "(lib[\\w.+-]+\\.so[.\\d]*|[\\w.+-]+\\.dll|[\\w.+-]+\\.dylib)"
                    + ":? (?:cannot open|is missing|not found|no such)|"
                    + "which is missing[^\"]*\"([^\"]+)\"",
            Pattern.CASE_INSENSITIVE);

    private final OrtEnvironment environment;
    private final ExecutionProvider provider;
    private final int threads;
    private final int device;
    private final DeviceOptions deviceOptions;

    /** @param device the GPU's number, of no matter to the CPU */
    SessionFactory(
            OrtEnvironment environment,
            ExecutionProvider provider,
            int threads,
            int device,
            DeviceOptions deviceOptions) {
        this.environment = environment;
        this.provider = provider;
        this.threads = threads;
        this.device = device;
        this.deviceOptions = deviceOptions;
    }

    static SessionFactory onCpu(OrtEnvironment environment, int threads) {
        return new SessionFactory(environment, ExecutionProvider.CPU, threads, 0, DeviceOptions.DEFAULT);
    }

    /** Such as {@code cpu} or {@code cuda:0}. */
    String deviceName() {
        return provider == ExecutionProvider.CPU ? provider.toString() : provider + ":" + device;
    }

    /**
     * Opens a graph.
     *
     * @param file the graph's name in the bundle, for messages
     * @throws BundleException if it is not an ONNX graph
     * @throws ExecutionProviderException if the execution provider does not work here
     */
    OrtSession open(Bundle bundle, String file, byte[] graph) {
        try (SessionOptions options = options(bundle)) {
            return environment.createSession(graph, options);
        } catch (OrtException e) {
            if (provider == ExecutionProvider.CPU || loadsOnCpu(graph)) {
                throw provider == ExecutionProvider.CPU
                        ? new BundleException(
                                bundle.location(), file, "an ONNX graph that ONNX Runtime loads", e.getMessage(), e)
                        : unavailable(e);
            }
            throw new BundleException(
                    bundle.location(), file, "an ONNX graph that ONNX Runtime loads", e.getMessage(), e);
        }
    }

    /** Whether the provider is to blame, and not the graph. */
    private boolean loadsOnCpu(byte[] graph) {
        try (SessionOptions options = onCpu(environment, 1).plainOptions();
                OrtSession session = environment.createSession(graph, options)) {
            return session.getNumInputs() > 0;
        } catch (OrtException e) {
            return false;
        }
    }

    private SessionOptions options(Bundle bundle) throws OrtException {
        SessionOptions options = plainOptions();
        boolean complete = false;
        try {
            addProvider(options, bundle);
            complete = true;
            return options;
        } finally {
            if (!complete) {
                options.close();
            }
        }
    }

    private SessionOptions plainOptions() throws OrtException {
        SessionOptions options = new SessionOptions();
        boolean complete = false;
        try {
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setInterOpNumThreads(1);
            options.setIntraOpNumThreads(threads);
            // waiting inference threads would spin, and take cores that decoding needs
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            complete = true;
            return options;
        } finally {
            if (!complete) {
                options.close();
            }
        }
    }

    private void addProvider(SessionOptions options, Bundle bundle) throws OrtException {
        switch (provider) {
            case CPU -> {
                // always available
            }
            case CUDA -> addCuda(options);
            case TENSORRT -> {
                requireInJar(OrtProvider.TENSOR_RT);
                try (OrtTensorRTProviderOptions tensorRt = new OrtTensorRTProviderOptions(device)) {
                    for (Map.Entry<String, String> option :
                            deviceOptions.tensorRt(bundle).entrySet()) {
                        tensorRt.add(option.getKey(), option.getValue());
                    }
                    options.addTensorrt(tensorRt);
                } catch (OrtException e) {
                    throw unavailable(e);
                }
                addCuda(options);
            }
            case AUTO -> throw new IllegalStateException("resolve auto first");
        }
    }

    private void addCuda(SessionOptions options) throws OrtException {
        requireInJar(OrtProvider.CUDA);
        // otherwise it would keep a memory pattern for each batch size
        options.setMemoryPatternOptimization(false);
        try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(device)) {
            // scores of equal versions agree within 1e-3, which TF32 cannot achieve
            cuda.add("use_tf32", "0");
            for (Map.Entry<String, String> option : deviceOptions.cuda().entrySet()) {
                cuda.add(option.getKey(), option.getValue());
            }
            options.addCUDA(cuda);
        } catch (OrtException e) {
            throw unavailable(e);
        }
    }

    private void requireInJar(OrtProvider wanted) {
        if (!OrtEnvironment.getAvailableProviders().contains(wanted)) {
            throw new ExecutionProviderException(
                    ("execution provider %s: the ONNX Runtime on the class path is built only for the CPU. Replace"
                                    + " com.microsoft.onnxruntime:onnxruntime with"
                                    + " com.microsoft.onnxruntime:onnxruntime_gpu:%s (Maven profile cuda: mvn -Pcuda …),"
                                    + " or choose the execution provider cpu or auto")
                            .formatted(provider, environment.getVersion()),
                    null);
        }
    }

    private ExecutionProviderException unavailable(OrtException e) {
        return new ExecutionProviderException(
                "execution provider %s, device %d: %s; or choose the execution provider cpu or auto"
                        .formatted(provider, device, remedy(e.getMessage())),
                e);
    }

    /** What is missing, according to ONNX Runtime's message, and what to do about it. */
    static String remedy(String message) {
        Matcher library = LIBRARY.matcher(message);
        if (library.find()) {
            String name = library.group(1) == null ? library.group(2) : library.group(1);
            if (name.startsWith("libcuda.")) {
                return "no NVIDIA driver is visible (%s is missing): install one, and start a container with --gpus all"
                        .formatted(name);
            }
            return "the library %s is missing: install %s and put it on the library path (LD_LIBRARY_PATH)"
                    .formatted(name, packageOf(name));
        }
        if (message.contains("no CUDA-capable device") || message.contains("CUDA failure 100")) {
            return "no NVIDIA GPU is visible: check nvidia-smi, and start a container with --gpus all";
        }
        if (message.contains("invalid device ordinal") || message.contains("CUDA failure 101")) {
            return "there is no GPU with that number: see nvidia-smi -L, and in a container which GPUs it has (--gpus)";
        }
        if (message.contains("driver version is insufficient") || message.contains("CUDA failure 35")) {
            return "the NVIDIA driver is missing or older than CUDA 12 needs: install a newer driver";
        }
        return "it does not start: %s (it needs an NVIDIA driver, CUDA 12 and cuDNN 9)".formatted(message.strip());
    }

    private static String packageOf(String library) {
        if (library.startsWith("libcudnn")) {
            return "cuDNN 9 for CUDA 12";
        }
        if (library.startsWith("libnvinfer") || library.startsWith("libnvonnxparser")) {
            return "TensorRT 10 for CUDA 12";
        }
        return "CUDA 12";
    }
}
