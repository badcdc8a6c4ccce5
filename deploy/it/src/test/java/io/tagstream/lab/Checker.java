/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import io.tagstream.avro.Cause;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.lab.History.Change;
import io.tagstream.lab.History.Content;
import io.tagstream.lab.History.Marker;
import io.tagstream.lab.History.Outcome;
import io.tagstream.lab.History.Owed;
import io.tagstream.lab.History.Result;
import io.tagstream.lab.History.Submission;
import io.tagstream.lab.Violation.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Compares a round's {@link History} with the simplest thing that could have written it: a program that takes one
 * submission after another.
 *
 * <p>The order of one image's outcomes is checked within each topic. Between topics there is no order that a reader
 * could see.
 */
final class Checker {
    private static final Set<Cause> FOLLOWED = Set.of(Cause.VOCABULARY_CHANGED, Cause.MODEL_CHANGED);
    private static final Set<ImageFailureReason> SERVER_FAULTS =
            Set.of(ImageFailureReason.FETCH_FAILED, ImageFailureReason.FETCH_TIMEOUT);

    private final History history;
    private final VocabularyModel vocabulary;
    private final Map<Long, Submission> submissions = new LinkedHashMap<>();

    /** Each submission's place in the order of all submissions. */
    private final Map<Long, Integer> places = new HashMap<>();

    private final Map<Long, List<Outcome>> outcomes = new HashMap<>();
    private final List<Violation> violations = new ArrayList<>();

    private Checker(History history) {
        this.history = history;
        this.vocabulary = new VocabularyModel(history);
        for (Submission submission : history.submissions()) {
            places.put(submission.sequence(), places.size());
            submissions.put(submission.sequence(), submission);
        }
        history.outcomes()
                .forEach(outcome -> outcomes.computeIfAbsent(outcome.sequence(), sequence -> new ArrayList<>())
                        .add(outcome));
    }

    /** Returns everything that is wrong; empty if nothing is. */
    static List<Violation> check(History history) {
        return new Checker(history).check();
    }

    private List<Violation> check() {
        checkThatEachHasOneOutcome();
        history.outcomes().forEach(this::checkOutcome);
        checkFollowed();
        checkOrder();
        checkEpochs();
        checkLatest();
        checkChanges();
        checkPending();
        checkLastMarker();
        return violations;
    }

    private void report(Kind kind, String what) {
        violations.add(new Violation(kind, what));
    }

    private void checkThatEachHasOneOutcome() {
        for (Submission submission : submissions.values()) {
            List<Outcome> found = outcomes.getOrDefault(submission.sequence(), List.of());
            if (found.isEmpty()) {
                report(Kind.LOST, "%s has no outcome".formatted(submission));
            } else if (found.size() > 1) {
                report(Kind.DUPLICATED, "%s has %d outcomes: %s".formatted(submission, found.size(), found));
            }
        }
    }

    private void checkOutcome(Outcome outcome) {
        if (isFollowed(outcome)) {
            return; // see checkFollowed
        }
        Submission submission = submissions.get(outcome.sequence());
        if (submission == null || !Objects.equals(submission.id(), outcome.id())) {
            report(Kind.INVENTED, "%s is the outcome of %s".formatted(outcome, submission));
            return;
        }
        Optional<String> wrong = difference(submission, outcome.result());
        wrong.ifPresent(
                difference -> report(Kind.WRONG_OUTCOME, "%s of %s: %s".formatted(outcome, submission, difference)));
    }

    /** Whether a known image got this outcome by following a change, not because somebody submitted it. */
    private static boolean isFollowed(Outcome outcome) {
        return outcome.sequence() == History.NOBODYS
                && outcome.result() instanceof Result.Tagged tagged
                && FOLLOWED.contains(tagged.event().getCause());
    }

    /**
     * Known images follow the vocabulary, the policy and the model: an image whose tags change gets an event, an image
     * whose tags stay the same gets none, and in the end each image has the tags of the last epoch.
     */
    private void checkFollowed() {
        Map<String, Outcome> current = new TreeMap<>();
        for (Outcome outcome : history.outcomes()) {
            if (isFollowed(outcome)) {
                Outcome before = current.get(outcome.id());
                wrongFollowing(before, ((Result.Tagged) outcome.result()).event())
                        .ifPresent(difference -> report(
                                Kind.WRONG_OUTCOME, "%s comes after %s: %s".formatted(outcome, before, difference)));
            }
            if (outcome.result() instanceof Result.Tagged || outcome.result() instanceof Result.Deleted) {
                current.put(outcome.id(), outcome);
            }
        }
        current.forEach((id, outcome) -> {
            if (outcome.result() instanceof Result.Tagged tagged) {
                List<Tag> tags = vocabulary
                        .latest(Expectation.of(tagged.event().getUri()).words())
                        .tags();
                if (!tagged.event().getTags().equals(tags)) {
                    report(Kind.NOT_FOLLOWED, "%s has %s, but the last epoch gives %s".formatted(id, outcome, tags));
                }
            }
        });
    }

    private Optional<String> wrongFollowing(Outcome before, TagEvent event) {
        if (before == null || !(before.result() instanceof Result.Tagged known)) {
            return Optional.of("the image was not known");
        }
        if (!event.getUri().equals(known.event().getUri())) {
            return Optional.of("expected the URI " + known.event().getUri());
        }
        return wrongTags(event, Expectation.of(event.getUri()).words())
                .or(() -> event.getTags().equals(known.event().getTags())
                        ? Optional.of("nothing has changed")
                        : Optional.empty());
    }

    /** How an event differs from what its epoch asks for. */
    private Optional<String> wrongTags(TagEvent event, List<String> words) {
        List<VocabularyModel.Tagging> possible = vocabulary.possible(words, event.getVocabularyEpoch());
        if (possible.isEmpty()) {
            return Optional.of("there is no vocabulary epoch " + event.getVocabularyEpoch());
        }
        return possible.contains(new VocabularyModel.Tagging(event.getModel().getVersion(), event.getTags()))
                ? Optional.empty()
                : Optional.of("expected " + possible);
    }

    /** How a result differs from what the submission asks for. */
    private Optional<String> difference(Submission submission, Result result) {
        if (submission.content() instanceof Content.Image image) {
            Expectation expected = Expectation.of(image.uri());
            if (result instanceof Result.Tagged tagged) {
                return difference(image, expected, tagged.event());
            }
            if (result instanceof Result.Failed failed) {
                return difference(submission, expected, failed.failure());
            }
            return Optional.of("expected tags or a failure");
        }
        if (submission.content() instanceof Content.Deletion) {
            return result instanceof Result.Deleted ? Optional.empty() : Optional.of("expected a deletion");
        }
        return result instanceof Result.DeadLetter ? Optional.empty() : Optional.of("expected a dead letter");
    }

    private Optional<String> difference(Content.Image image, Expectation expected, TagEvent event) {
        if (expected.failure().isPresent()) {
            return Optional.of("expected the failure " + expected.failure().get());
        }
        if (!event.getUri().equals(image.uri())) {
            return Optional.of("expected the URI " + image.uri());
        }
        return wrongTags(event, expected.words());
    }

    private Optional<String> difference(Submission submission, Expectation expected, ImageFailure failure) {
        if (failure.getOrigin().getPartition() != submission.position().partition()
                || failure.getOrigin().getOffset() != submission.position().offset()) {
            return Optional.of("its origin is another record");
        }
        boolean serverMayBeTheCause = expected.fetched() && history.imageServerFailed();
        if (serverMayBeTheCause && SERVER_FAULTS.contains(failure.getReason())) {
            return Optional.empty();
        }
        return expected.failure().equals(Optional.of(failure.getReason()))
                ? Optional.empty()
                : Optional.of("expected "
                        + expected.failure()
                                .map(reason -> "the failure " + reason)
                                .orElse("tags"));
    }

    /** An image ID's outcomes on a topic are in the order of its submissions, which are all in one partition. */
    private void checkOrder() {
        Map<String, Outcome> lastOfId = new HashMap<>();
        for (Outcome outcome : history.outcomes()) {
            String key = outcome.result().getClass() == Result.Failed.class ? "failures " : "tags ";
            if (outcome.result() instanceof Result.DeadLetter || isFollowed(outcome)) {
                continue; // a dead letter belongs to no image
            }
            Outcome before = lastOfId.put(key + outcome.id(), outcome);
            if (before != null && place(before.sequence()) > place(outcome.sequence())) {
                report(Kind.OUT_OF_ORDER, "%s comes before %s".formatted(before, outcome));
            }
        }
    }

    private int place(long sequence) {
        return places.getOrDefault(sequence, -1);
    }

    /** One task writes each partition of {@code tags}. */
    private void checkEpochs() {
        Map<Integer, Outcome> lastOfPartition = new HashMap<>();
        for (Outcome outcome : history.outcomes()) {
            if (outcome.result() instanceof Result.Tagged tagged) {
                long epoch = tagged.event().getVocabularyEpoch();
                if (epoch < history.firstEpoch()) {
                    report(
                            Kind.OLDER_VOCABULARY,
                            "%s; the vocabulary was at %d before the start".formatted(outcome, history.firstEpoch()));
                }
                Outcome before = lastOfPartition.put(outcome.position().partition(), outcome);
                if (before != null && ((Result.Tagged) before.result()).event().getVocabularyEpoch() > epoch) {
                    report(Kind.OLDER_VOCABULARY, "%s comes after %s".formatted(outcome, before));
                }
            }
        }
    }

    /** The record of {@code tags} that a reader of the compacted topic keeps, by image ID. */
    private Map<String, Outcome> latest() {
        Map<String, Outcome> latest = new TreeMap<>();
        for (Outcome outcome : history.outcomes()) {
            if (outcome.result() instanceof Result.Tagged || outcome.result() instanceof Result.Deleted) {
                latest.put(outcome.id(), outcome);
            }
        }
        return latest;
    }

    private void checkLatest() {
        Map<String, Submission> expected = new TreeMap<>();
        for (Submission submission : submissions.values()) {
            boolean changed = outcomes.getOrDefault(submission.sequence(), List.of()).stream()
                    .anyMatch(outcome ->
                            outcome.result() instanceof Result.Tagged || outcome.result() instanceof Result.Deleted);
            if (changed) {
                expected.put(submission.id(), submission);
            }
        }
        Map<String, Outcome> latest = new TreeMap<>();
        history.outcomes().stream()
                .filter(outcome ->
                        outcome.result() instanceof Result.Tagged || outcome.result() instanceof Result.Deleted)
                .filter(outcome -> !isFollowed(outcome))
                .forEach(outcome -> latest.put(outcome.id(), outcome));
        expected.forEach((id, submission) -> {
            Outcome found = latest.get(id);
            if (found == null || found.sequence() != submission.sequence()) {
                report(Kind.WRONG_LATEST, "%s has %s, not the outcome of %s".formatted(id, found, submission));
            }
        });
    }

    private void checkChanges() {
        Map<String, Map<String, Tag>> states = new HashMap<>();
        Map<Long, Change> bySequence = new HashMap<>();
        for (Change change : history.changes()) {
            Change before = bySequence.put(change.sequence(), change);
            if (before != null && change.sequence() != History.NOBODYS) {
                report(Kind.DUPLICATED, "%s appears a second time: %s".formatted(before, change));
            }
            apply(change.change(), states.computeIfAbsent(change.id(), id -> new HashMap<>()));
        }
        latest().forEach((id, outcome) -> {
            List<Tag> tags = outcome.result() instanceof Result.Tagged tagged
                    ? tagged.event().getTags()
                    : List.of();
            Collection<Tag> summed = states.getOrDefault(id, Map.of()).values();
            if (summed.size() != tags.size() || !summed.containsAll(tags)) {
                report(
                        Kind.WRONG_CHANGES,
                        "the changes of %s add up to %s, but its tags are %s".formatted(id, summed, tags));
            }
        });
    }

    private static void apply(TagChange change, Map<String, Tag> state) {
        change.getRemoved().forEach(tag -> state.remove(tag.getLabelId()));
        change.getAdded().forEach(tag -> state.put(tag.getLabelId(), tag));
        change.getRescored().forEach(tag -> state.put(tag.getLabelId(), tag));
    }

    /** The last marker covers the whole vocabulary, and puts the control record in force. */
    private void checkLastMarker() {
        Optional<Marker> last = history.markers().stream().max(Comparator.comparing(Marker::epoch));
        long encodedUpTo = last.map(Marker::offset).orElse(-1L);
        if (encodedUpTo != vocabulary.end()) {
            report(
                    Kind.VOCABULARY_NOT_ENCODED,
                    "the vocabulary ends at offset %d, but its newest marker is at %d"
                            .formatted(vocabulary.end(), encodedUpTo));
        }
        history.control()
                .filter(control -> !last.flatMap(Marker::rules)
                        .filter(rules -> rules.getRevision() == control.getRevision()
                                && rules.getBundle().equals(control.getBundle())
                                && rules.getPolicy().equals(control.getPolicy()))
                        .isPresent())
                .ifPresent(control -> report(
                        Kind.CONTROL_NOT_FOLLOWED,
                        "%s is in force, but the last marker is %s".formatted(control, last)));
    }

    private void checkPending() {
        for (Owed left : history.pending()) {
            report(Kind.PENDING_LEFT, "%s of %s is still pending".formatted(left.id(), left.origin()));
        }
    }
}
