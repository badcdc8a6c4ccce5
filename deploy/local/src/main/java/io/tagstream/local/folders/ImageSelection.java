/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.folders;

import io.tagstream.cluster.OperatorException;
import io.tagstream.model.image.ImageFormat;
import io.tagstream.model.image.ImageSources;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.commons.io.FilenameUtils;

/**
 * The images that paths and URLs stand for.
 *
 * <p>A file stands for itself, whatever its name. A folder stands for all files in it and below it with an image's
 * extension ({@link #EXTENSIONS}), except hidden files and folders. A URL stands for the image that it addresses.
 *
 * <p><b>Image ids.</b> A URL's id is the URL. A file's id is its path relative to the given folder, with slashes
 * ({@code 2024/cat.jpg}), or its name if the file itself was given. If several given folders contain a file with the
 * same relative path, the ids of those files are their absolute paths, or their {@code file:} URIs if a name's bytes
 * are not text in the encoding of file names, so that different names would look alike. The same file given twice is
 * one image.
 */
public final class ImageSelection {
    /** The extensions of image files, lower case, sorted. */
    public static final Set<String> EXTENSIONS =
            Collections.unmodifiableSet(new TreeSet<>(ImageFormat.allExtensions()));

    /** What Java shows in place of bytes that are not text. */
    private static final char UNDECODABLE = '\uFFFD';

    private final List<Path> folders;
    private final List<Path> files;
    private final List<URI> urls;
    private final Map<Path, NamedImage> namedFiles = new HashMap<>();
    private final Set<String> ids = new TreeSet<>();
    private final Map<String, Integer> skipped = new TreeMap<>();

    private ImageSelection(List<Path> folders, List<Path> files, List<URI> urls) {
        this.folders = List.copyOf(folders);
        this.files = List.copyOf(files);
        this.urls = List.copyOf(urls);
    }

    /**
     * Sorts the given paths and URLs.
     *
     * @throws OperatorException for wrong usage, if an argument is neither a URL nor an existing path
     */
    public static ImageSelection of(Collection<String> given) {
        Set<Path> folders = Collections.newSetFromMap(new LinkedHashMap<>());
        Set<Path> files = Collections.newSetFromMap(new LinkedHashMap<>());
        Set<URI> urls = Collections.newSetFromMap(new LinkedHashMap<>());
        for (String argument : given) {
            if (argument.matches("(?i)[a-z][a-z0-9+.-]+://.*")) {
                urls.add(url(argument));
                continue;
            }
            Path path = path(argument);
            if (Files.isDirectory(path)) {
                folders.add(path);
            } else {
                files.add(path);
            }
        }
        return new ImageSelection(List.copyOf(folders), List.copyOf(files), List.copyOf(urls));
    }

    private static URI url(String argument) {
        try {
            URI uri = new URI(argument);
            if (!ImageSources.isOnServer(argument)) {
                throw OperatorException.invalid("%s: a URL must begin with %s:; give a local file by its path"
                        .formatted(argument, String.join(": or ", ImageSources.serverSchemes())));
            }
            if (uri.getHost() == null) {
                throw OperatorException.invalid(argument + ": the URL names no host");
            }
            return uri;
        } catch (URISyntaxException e) {
            throw OperatorException.invalid(
                    "%s is not a URL: %s at position %d".formatted(argument, e.getReason(), e.getIndex()), e);
        }
    }

    private static Path path(String argument) {
        try {
            Path path = Path.of(argument);
            if (!Files.exists(path)) {
                throw OperatorException.invalid(
                        "%s does not exist; give an image, a folder of images, or a URL".formatted(argument));
            }
            if (!Files.isReadable(path)) {
                throw OperatorException.invalid("%s cannot be read; check its permissions".formatted(argument));
            }
            return path.toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw OperatorException.invalid(
                    "%s is not a path: %s; if it has non-ASCII letters, set LC_ALL to a UTF-8 locale such as C.UTF-8"
                            .formatted(argument, e.getReason()),
                    e);
        }
    }

    /** The given folders, absolute. */
    public List<Path> folders() {
        return folders;
    }

    /** The given URLs. */
    public List<URI> urls() {
        return urls;
    }

    /** Where the images may be read from: the given folders and files, absolute. */
    public List<Path> roots() {
        List<Path> roots = new ArrayList<>(folders);
        roots.addAll(files);
        return roots;
    }

    /** How many files {@link #scan} left out because their names are not image names or they cannot be read. */
    public int skipped() {
        return skipped.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** The same by extension, most first: {@code 3 files (heic 2, txt 1)}. */
    public String skippedNames() {
        return names(skipped);
    }

    /** The skipped pictures in unsupported formats, by extension; empty if there are none. */
    public Optional<String> skippedPictures() {
        Map<String, Integer> pictures = new TreeMap<>(skipped);
        pictures.keySet().retainAll(ImageFormat.otherExtensions());
        return pictures.isEmpty() ? Optional.empty() : Optional.of(names(pictures));
    }

    private static String names(Map<String, Integer> files) {
        int count = files.values().stream().mapToInt(Integer::intValue).sum();
        String extensions = files.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
                .map(extension -> extension.getKey() + " " + extension.getValue())
                .collect(Collectors.joining(", "));
        return "%d %s (%s)".formatted(count, count == 1 ? "file" : "files", extensions);
    }

    /**
     * The images that exist now, in the order given; those of a folder in the order of their paths.
     *
     * @throws OperatorException if a folder cannot be read
     */
    public List<NamedImage> scan() {
        skipped.clear();
        Map<Path, String> relative = new LinkedHashMap<>();
        for (Path file : files) {
            relative.putIfAbsent(file, String.valueOf(file.getFileName()));
        }
        for (Path folder : folders) {
            for (Path file : walk(folder)) {
                relative.putIfAbsent(file, relativeName(folder, file));
            }
        }
        Map<String, Integer> uses = new HashMap<>();
        relative.values().forEach(name -> uses.merge(name, 1, Integer::sum));

        List<NamedImage> images = new ArrayList<>();
        relative.forEach((file, name) -> images.add(named(file, uses.get(name) == 1 ? name : fullName(file))));
        urls.forEach(url -> images.add(new NamedImage(url.toString(), url, Optional.empty())));
        return images;
    }

    /**
     * The image that a file stands for, whether the file exists or not.
     *
     * @return empty if the file is not part of the selection
     */
    public Optional<NamedImage> imageOf(Path file) {
        NamedImage known = namedFiles.get(file);
        if (known != null) {
            return Optional.of(known);
        }
        return folders.stream()
                .filter(folder -> file.startsWith(folder) && isImage(folder, file))
                .findFirst()
                .map(folder -> relativeName(folder, file))
                .map(name -> named(file, ids.contains(name) ? fullName(file) : name));
    }

    /** Whether a local file would be part of the selection if it existed. */
    public boolean covers(Path file) {
        return files.contains(file)
                || folders.stream().anyMatch(folder -> file.startsWith(folder) && isImage(folder, file));
    }

    private NamedImage named(Path file, String id) {
        NamedImage image = new NamedImage(id, file.toUri(), Optional.of(file));
        namedFiles.put(file, image);
        ids.add(id);
        return image;
    }

    private List<Path> walk(Path folder) {
        List<Path> found = new ArrayList<>();
        try {
            Files.walkFileTree(
                    folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                            return !directory.equals(folder) && isHidden(directory)
                                    ? FileVisitResult.SKIP_SUBTREE
                                    : FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                            if (isImage(folder, file)) {
                                found.add(file);
                            } else {
                                skip(file);
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException failure) {
                            // A loop of links, or a folder without permission: images elsewhere are still wanted
                            skip(file);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw OperatorException.failed("folder %s cannot be read: %s".formatted(folder, e), e);
        }
        Collections.sort(found);
        return found;
    }

    private void skip(Path file) {
        String extension = FilenameUtils.getExtension(file.getFileName().toString());
        skipped.merge(extension.isEmpty() ? "without extension" : extension.toLowerCase(Locale.ROOT), 1, Integer::sum);
    }

    private static boolean isImage(Path folder, Path file) {
        for (Path part : folder.relativize(file)) {
            if (isHidden(part)) {
                return false;
            }
        }
        return EXTENSIONS.contains(
                FilenameUtils.getExtension(file.getFileName().toString()).toLowerCase(Locale.ROOT));
    }

    private static boolean isHidden(Path path) {
        return path.getFileName().toString().startsWith(".");
    }

    private static String relativeName(Path folder, Path file) {
        return folder.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
    }

    private static String fullName(Path file) {
        String name = file.toString();
        return name.indexOf(UNDECODABLE) < 0 ? name : file.toUri().toString();
    }
}
