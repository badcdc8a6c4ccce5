/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.javalin.http.Context;
import io.javalin.http.Header;
import io.javalin.http.HttpStatus;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.cluster.vocabulary.ChangeWatch;
import io.tagstream.cluster.vocabulary.VocabularyEditor;
import io.tagstream.model.LabelText;
import io.tagstream.model.LabelTextException;
import io.tagstream.topology.query.ImageQueries;
import io.tagstream.topology.query.Preview;
import io.tagstream.topology.vocabulary.LabelLimits;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** The vocabulary: reading it, changing it, and previewing a label before it is added. */
final class LabelsApi {
    /** Large enough that people usually see everything at first; a page of this size is a few hundred kilobytes. */
    private static final int DEFAULT_LIMIT = 500;

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int DEFAULT_BEST = 20;
    private static final int MOST_BEST = 100;

    private final LateServices late;
    private final LabelLimits limits;

    LabelsApi(LateServices late, LabelLimits limits) {
        this.late = late;
        this.limits = limits;
    }

    void register(ApiRoutes routes) {
        routes.get("/api/labels", this::list)
                .post("/api/labels/preview", this::preview)
                .get("/api/labels/{id}", this::label)
                .put("/api/labels/{id}", this::put)
                .delete("/api/labels/{id}", this::delete);
    }

    /**
     * A label as served.
     *
     * @param threshold null for the model's threshold
     * @param images how many images have it now; null without a search index
     */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Served(
            String id,
            String name,
            List<String> prompts,
            Double threshold,
            LabelState state,
            Map<String, String> attributes,
            Integer images) {}

    private Served served(String id, Label label) {
        return new Served(
                id,
                label.getName(),
                label.getPrompts(),
                label.getThreshold(),
                label.getState(),
                label.getAttributes(),
                late.get().search().map(search -> search.imagesWith(id)).orElse(null));
    }

    private void list(Context request) {
        Optional<String> text = Parameters.text(request, "text").map(words -> words.toLowerCase(Locale.ROOT));
        List<Map.Entry<String, Label>> wanted = late.get().views().vocabulary().labels().entrySet().stream()
                .filter(label -> text.isEmpty() || contains(label, text.get()))
                .toList();
        Page<Map.Entry<String, Label>> page = Page.of(
                wanted,
                Map.Entry::getKey,
                Parameters.after(request).orElse(null),
                Parameters.limit(request, DEFAULT_LIMIT));
        Json.answer(
                request,
                new Page<>(
                        page.items().stream()
                                .map(label -> served(label.getKey(), label.getValue()))
                                .toList(),
                        page.total(),
                        page.next()));
    }

    private static boolean contains(Map.Entry<String, Label> label, String text) {
        return label.getKey().toLowerCase(Locale.ROOT).contains(text)
                || label.getValue().getName().toLowerCase(Locale.ROOT).contains(text);
    }

    private void label(Context request) {
        String id = request.pathParam("id");
        Json.answer(request, served(id, present(id)));
    }

    private Label present(String id) {
        return late.get()
                .views()
                .vocabulary()
                .find(id)
                .orElseThrow(() -> ProblemException.of(
                        HttpStatus.NOT_FOUND, "there is no label \"%s\" in the vocabulary".formatted(id)));
    }

    /** A label as sent; a missing field has the value that it has in a new label. */
    private record Wanted(String name, List<String> prompts, Double threshold, LabelState state) {}

    /**
     * The result of a change.
     *
     * @param inForce whether images are tagged with it from now on; false if no instance has applied it yet
     * @param vocabularyEpoch the epoch from which it is in force; null while it is not
     * @param labels how many labels that epoch has; null while it is not in force
     */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Changed(boolean inForce, Long vocabularyEpoch, Integer labels) {}

    private void put(Context request) throws InterruptedException {
        VocabularyEditor editor = editor();
        String id = request.pathParam("id");
        Wanted wanted = Json.body(request, Wanted.class);
        Optional<Label> inForce = late.get().views().vocabulary().find(id);
        if ("*".equals(request.header(Header.IF_NONE_MATCH)) && inForce.isPresent()) {
            throw ProblemException.of(
                    HttpStatus.PRECONDITION_FAILED,
                    "label \"%s\" already exists; edit it, or give the new label another id".formatted(id));
        }
        Map<String, String> attributes = inForce.map(Label::getAttributes).orElse(Map.of());
        Label label = Label.newBuilder()
                .setName(Optional.ofNullable(wanted.name()).map(String::strip).orElse(id))
                .setPrompts(prompts(wanted.prompts()))
                .setThreshold(threshold(wanted.threshold()))
                .setState(Optional.ofNullable(wanted.state()).orElse(LabelState.ACTIVE))
                .setAttributes(attributes)
                .build();
        requireWithinLimits(
                limits.refusals(late.get().views().vocabulary().labels(), Map.of(id, label)).values().stream()
                        .findFirst());
        answer(request, editor, Map.of(id, label));
    }

    /** Refuses what the label encoder would refuse, in the same way, before it is written. */
    private static void requireWithinLimits(Optional<LabelLimits.Refusal> refusal) {
        refusal.ifPresent(refused -> {
            throw ProblemException.of(
                    HttpStatus.UNPROCESSABLE_CONTENT,
                    refused.message(),
                    refused.reason().name());
        });
    }

    private void delete(Context request) throws InterruptedException {
        VocabularyEditor editor = editor();
        String id = request.pathParam("id");
        present(id);
        answer(request, editor, Collections.singletonMap(id, null));
    }

    private VocabularyEditor editor() {
        return late.get()
                .editor()
                .orElseThrow(() -> ProblemException.of(
                        HttpStatus.FORBIDDEN,
                        "the vocabulary cannot be changed here; set console.writable=true to allow it"));
    }

    private void answer(Context request, VocabularyEditor editor, Map<String, Label> changes) {
        Optional<ChangeWatch.Effect> effect = editor.apply(changes, PATIENCE);
        effect.flatMap(known -> known.refusals().stream().findFirst()).ifPresent(refusal -> {
            throw ProblemException.of(
                    HttpStatus.UNPROCESSABLE_CONTENT,
                    refusal.failure().getMessage(),
                    refusal.failure().getReason().name());
        });
        late.get().views().vocabulary().apply(changes); // the next request must not see the old state
        request.status(effect.isPresent() ? HttpStatus.OK : HttpStatus.ACCEPTED);
        Json.answer(
                request,
                new Changed(
                        effect.isPresent(),
                        effect.map(ChangeWatch.Effect::epoch).orElse(null),
                        effect.map(ChangeWatch.Effect::labels).orElse(null)));
    }

    /** A label to preview. */
    private record Tried(String name, List<String> prompts, Double threshold, Integer best) {}

    private void preview(Context request) throws LabelTextException {
        ImageQueries queries = Parameters.scoped(request, late.queries());
        Tried tried = Json.body(request, Tried.class);
        String name = Optional.ofNullable(tried.name()).map(String::strip).orElse("");
        if (name.isEmpty()) {
            throw Parameters.wrong("name", "", "the label's name");
        }
        LabelText text = new LabelText(name, prompts(tried.prompts()));
        requireWithinLimits(LabelLimits.refusal(text));
        int best = Optional.ofNullable(tried.best()).orElse(DEFAULT_BEST);
        if (best < 0 || best > MOST_BEST) {
            throw Parameters.wrong("best", String.valueOf(best), "a number from 0 to " + MOST_BEST);
        }
        Double threshold = threshold(tried.threshold());
        Preview preview =
                queries.preview(text, threshold == null ? OptionalDouble.empty() : OptionalDouble.of(threshold), best);
        Json.answer(request, Parameters.ofThisInstance(request) ? preview : preview.summary());
    }

    private static List<String> prompts(List<String> given) {
        return Optional.ofNullable(given).orElse(List.of()).stream()
                .map(prompt -> Optional.ofNullable(prompt).orElse("").strip())
                .filter(prompt -> !prompt.isEmpty())
                .toList();
    }

    private static Double threshold(Double given) {
        if (given != null && !(given >= 0 && given <= 1)) {
            throw Parameters.wrong("threshold", String.valueOf(given), "a score from 0 to 1, or null for the model's");
        }
        return given;
    }
}
