/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.io.FileUtils;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * One reading of a page: its blocks run one after the other in bash, in the repository's root, with what earlier blocks
 * exported. The home directory is a temporary one with the sample photos under {@code ~/Pictures}.
 *
 * <p>A block runs as it is printed, but for ports that something else has on this machine: they are replaced in all
 * blocks of the page. So is the console's, where {@code tagstream local} has taken another than 8080 itself.
 */
final class PageRun implements AutoCloseable {
    private static final Path SAMPLES = MarkdownPage.ROOT.resolve("deploy/samples");
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final int CONSOLE_PORT = 8080;
    private static final Pattern LOCAL_PORT = Pattern.compile("(?<=\\b127\\.0\\.0\\.1:|--port )\\d+\\b");
    private static final Pattern CONSOLE = Pattern.compile("console is on http://127\\.0\\.0\\.1:(\\d+)");

    /** What a shell ends with when its command was ended by Ctrl-C or SIGTERM, in order. */
    private static final Set<Integer> ENDED = Set.of(0, 130, 143);

    private final Path directory;
    private final Path home;
    private final Path exported;
    private final Map<Integer, Integer> ports = new HashMap<>();
    private final List<Running> going = new ArrayList<>();

    /** A block's shell, and where it writes. */
    private record Running(Block block, Process process, Path output, Path errors) {
        List<String> lines() throws IOException {
            return text(output).lines().toList();
        }

        List<String> notes() throws IOException {
            return text(errors).lines().toList();
        }

        String all() throws IOException {
            return text(output) + text(errors);
        }

        /** Also in the middle of a letter of several bytes. */
        private static String text(Path file) throws IOException {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        }

        /** Ends the block's commands, not the shell, which tells how they ended. */
        void terminate() {
            process.descendants().forEach(ProcessHandle::destroy);
        }
    }

    /** @param directory an empty one for all that the page's commands write to the home directory, and this run's own files */
    PageRun(MarkdownPage page, Path directory) throws IOException {
        this.directory = directory;
        this.home = Files.createDirectory(directory.resolve("home"));
        this.exported = Files.createFile(directory.resolve("exported"));
        FileUtils.copyDirectory(
                SAMPLES.toFile(),
                home.resolve("Pictures").toFile(),
                file -> file.getName().endsWith(".jpg"));
        replaceTakenPorts(page);
    }

    /** The ports that stand in the page, as long as they are free. */
    private void replaceTakenPorts(MarkdownPage page) throws IOException {
        for (Block block : page.blocks()) {
            if (!block.isRun()
                    || block.mark().filter(Mark.Needs.class::isInstance).isPresent()) {
                continue;
            }
            Matcher port = LOCAL_PORT.matcher(block.text());
            while (port.find()) {
                int printed = Integer.parseInt(port.group());
                if (printed != CONSOLE_PORT && !ports.containsKey(printed) && isTaken(printed, block)) {
                    replace(printed, freePort(), block);
                }
            }
        }
    }

    /** {@code --port N} takes N+1 too, for the registry. */
    private static boolean isTaken(int port, Block block) {
        return !isFree(port) || (block.text().contains("--port " + port) && !isFree(port + 1));
    }

    private void replace(int printed, int free, Block block) {
        ports.put(printed, free);
        if (block.text().contains("--port " + printed)) {
            ports.put(printed + 1, free + 1);
        }
        System.out.printf("%s: port %d is in use here; using %d instead%n", block, printed, free);
    }

    private static int freePort() throws IOException {
        while (true) {
            try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                if (isFree(probe.getLocalPort() + 1)) {
                    return probe.getLocalPort();
                }
            }
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return probe.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    /** Runs a block; one that runs until it is stopped goes on. Fails if it does not do what the page says. */
    void run(Block block) throws IOException, InterruptedException {
        Running running = start(block);
        going.add(running);
        if (block.mark().orElse(null) instanceof Mark.Until until) {
            await(running, until.text());
            return;
        }
        if (!running.process().waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
            fail("%s: still running after %s%n%s%n%s", block, PATIENCE, block.text(), running.all());
        }
        going.remove(running);
        assertThat(running.process().exitValue())
                .as("%s: the exit code of%n%s%nwhich printed%n%s", block, block.text(), running.all())
                .isZero();
        compare(running, block);
    }

    private static void compare(Running running, Block block) throws IOException {
        if (block.output().isEmpty()
                || block.output()
                        .get()
                        .mark()
                        .filter(Mark.OutputVaries.class::isInstance)
                        .isPresent()) {
            return;
        }
        Block said = block.output().get();
        assertThat(PrintedOutput.differences(said, running.lines(), running.notes()))
                .as("%s: what%n%s%nprints", said, block.text())
                .isEmpty();
    }

    private void await(Running running, String text) throws IOException {
        try {
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() ->
                            running.all().contains(text) || !running.process().isAlive());
        } catch (ConditionTimeoutException e) {
            fail("%s: no \"%s\" after %s%n%s".formatted(running.block(), text, PATIENCE, running.all()), e);
        }
        assertThat(running.all()).as("%s: what it has printed", running.block()).contains(text);
        Matcher console = CONSOLE.matcher(running.all());
        if (console.find() && Integer.parseInt(console.group(1)) != CONSOLE_PORT) {
            replace(CONSOLE_PORT, Integer.parseInt(console.group(1)), running.block());
        }
    }

    private Running start(Block block) throws IOException {
        String name = Integer.toString(block.line());
        Path commands = Files.writeString(directory.resolve(name + ".commands"), withPorts(block.text()));
        Path output = directory.resolve(name + ".out");
        Path errors = directory.resolve(name + ".err");
        ProcessBuilder shell = new ProcessBuilder("bash", "-c", script(block, commands))
                .directory(MarkdownPage.ROOT.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        shell.environment().put("HOME", home.toString());
        return new Running(block, shell.start(), output, errors);
    }

    private String script(Block block, Path commands) {
        String start = ". '%s'; ".formatted(exported);
        if (block.language().equals("python")) {
            return start + "exec \"$IT_PYTHON\" '%s'".formatted(commands);
        }
        String run = start + "set -eo pipefail; . '%s'".formatted(commands);
        boolean goesOn = block.mark().filter(Mark.Until.class::isInstance).isPresent();
        return goesOn ? run : run + "; export -p > '%s'".formatted(exported);
    }

    private String withPorts(String commands) {
        return LOCAL_PORT.matcher(commands).replaceAll(port -> {
            int printed = Integer.parseInt(port.group());
            return Integer.toString(ports.getOrDefault(printed, printed));
        });
    }

    /** Stops what still runs, the latest first. Fails if it does not end in order. */
    void stop() throws InterruptedException, IOException {
        for (int i = going.size() - 1; i >= 0; i--) {
            Running running = going.get(i);
            assertThat(running.process().isAlive())
                    .as("%s: still running; it printed%n%s", running.block(), running.all())
                    .isTrue();
            running.terminate();
            if (!running.process().waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                fail("%s: did not stop%n%s", running.block(), running.all());
            }
            assertThat(running.process().exitValue())
                    .as("%s: its exit code; it printed%n%s", running.block(), running.all())
                    .isIn(ENDED);
        }
        going.clear();
    }

    /** Ends what still runs, however it fares. */
    @Override
    public void close() {
        for (Running running : going) {
            List<ProcessHandle> all =
                    new ArrayList<>(running.process().descendants().toList());
            all.add(running.process().toHandle());
            all.forEach(ProcessHandle::destroyForcibly);
            all.forEach(process -> process.onExit().join());
        }
    }
}
