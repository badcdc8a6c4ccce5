/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

import com.sun.jna.Native;
import io.tagstream.model.Telemetry;
import io.tagstream.model.bundle.BundleDescription.Resize;
import io.tagstream.model.image.OpenCvLibrary;
import io.tagstream.model.image.PixelBudget;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.opencv.core.Core;

/**
 * How to start a decoder process: a small Java with only the classes that decode, and without this process's
 * environment, which may hold secrets.
 *
 * @param mainClass the class that it runs
 * @param moreClasses further entries of the class path
 * @param size side of the square in pixels
 * @param resize how an image of any shape becomes the square
 * @param maxPixels the most pixels of an image
 * @param maxBytes the most bytes of an image
 * @param seal whether it tries to seal itself before it takes the first image
 */
record DecoderCommand(
        Class<?> mainClass,
        List<Path> moreClasses,
        int size,
        Resize resize,
        long maxPixels,
        int maxBytes,
        boolean seal) {
    /** The variables that Java itself may need to start. */
    private static final Set<String> KEPT_VARIABLES = Set.of("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot");

    /** For classes, and for decoding GIFs, whose reader is Java's. */
    private static final int HEAP_MIB = 160;

    private static final int FIRST_JAVA_THAT_ASKS_FOR_NATIVE_ACCESS = 24;

    ProcessBuilder builder(SharedDirectory directory) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // an image takes its bytes once, and once more while it is read
        command.add("-Xmx" + (HEAP_MIB + 2L * maxBytes / (1 << 20)) + "m");
        command.add("-Xms16m");
        command.add("-XX:+UseSerialGC");
        command.add("-XX:TieredStopAtLevel=1");
        command.add("-XX:+ExitOnOutOfMemoryError");
        command.add("-XX:-UsePerfData");
        command.add("-XX:-CreateCoredumpOnCrash");
        command.add("-XX:+ErrorFileToStderr");
        // nothing that would be read again, or reached from outside, while images are decoded
        command.add("-XX:-UseContainerSupport");
        command.add("-XX:+DisableAttachMechanism");
        if (Runtime.version().feature() >= FIRST_JAVA_THAT_ASKS_FOR_NATIVE_ACCESS) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.add("-Djava.awt.headless=true");
        command.add("-Djava.io.tmpdir=" + directory.path());
        command.add("-D" + OpenCvLibrary.UNPACKED + "=" + directory.library());
        if (usesLinuxLibrary()) {
            command.addAll(LinuxLibrary.javaOptions(directory.path()));
        }
        command.add("-cp");
        command.add(classPath(directory));
        command.add(mainClass.getName());
        command.addAll(List.of(
                directory.path().toString(),
                Integer.toString(size),
                resize.name(),
                Long.toString(maxPixels),
                Boolean.toString(seal)));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().retainAll(KEPT_VARIABLES);
        Telemetry.disable(builder.environment());
        // OpenCV's own limit, in case a decoder sees more pixels in a file than its header says
        builder.environment().put("OPENCV_IO_MAX_IMAGE_PIXELS", Long.toString(PixelBudget.mostPixels(maxPixels)));
        builder.environment().put("OPENCV_LOG_LEVEL", "SILENT");
        return builder.directory(directory.path().toFile());
    }

    private String classPath(SharedDirectory directory) throws IOException {
        Set<Path> entries = new LinkedHashSet<>();
        entries.add(location(DecoderMain.class));
        entries.add(location(Core.class));
        if (usesLinuxLibrary()) {
            entries.add(location(Native.class));
        }
        entries.addAll(moreClasses);
        List<String> jars = new ArrayList<>();
        for (Path entry : entries) {
            jars.add(directory.jar(entry).toString());
        }
        return String.join(File.pathSeparator, jars);
    }

    private boolean usesLinuxLibrary() {
        return seal && Seal.isForThisSystem();
    }

    private static Path location(Class<?> type) {
        CodeSource source = type.getProtectionDomain().getCodeSource();
        if (source == null) {
            throw new DecoderStartException(
                    "Java does not say which file %s was loaded from".formatted(type.getName()), null);
        }
        try {
            return Path.of(source.getLocation().toURI());
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new DecoderStartException(
                    "%s was loaded from %s, which is not a file".formatted(type.getName(), source.getLocation()), e);
        }
    }
}
