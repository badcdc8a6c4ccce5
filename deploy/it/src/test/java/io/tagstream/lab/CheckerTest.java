/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.avro.BundleRelease;
import io.tagstream.avro.Cause;
import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.ImageFailure;
import io.tagstream.avro.ImageFailureReason;
import io.tagstream.avro.ImageReference;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.Model;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.TagPolicy;
import io.tagstream.lab.History.Change;
import io.tagstream.lab.History.Content;
import io.tagstream.lab.History.LabelChange;
import io.tagstream.lab.History.Marker;
import io.tagstream.lab.History.Outcome;
import io.tagstream.lab.History.Owed;
import io.tagstream.lab.History.Position;
import io.tagstream.lab.History.Result;
import io.tagstream.lab.History.Submission;
import io.tagstream.lab.Violation.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Tests that the laboratory's checker detects each kind of violation, in handmade histories. */
class CheckerTest {
    private static final Tag DOG = new Tag("label-dog", "dog", Words.HAS_LABEL, 0.5f);
    private static final Tag CAR = new Tag("label-car", "car", Words.HAS_LABEL, 0.5f);

    private final List<Submission> submissions = new ArrayList<>();
    private final List<Outcome> outcomes = new ArrayList<>();
    private final List<Change> changes = new ArrayList<>();
    private final List<LabelChange> vocabulary = new ArrayList<>();
    private final List<Owed> pending = new ArrayList<>();
    private final List<Marker> markers = new ArrayList<>();
    private boolean markersLost;
    private Optional<ClusterControl> control = Optional.empty();
    private long firstEpoch = 0;
    private boolean imageServerFailed;

    /** Two images, one of them submitted twice and deleted; a failure; and an unreadable record. */
    CheckerTest() {
        vocabulary.add(label(0, "dog"));
        vocabulary.add(label(1, "car"));
        markers.add(new Marker(0, 0, Optional.empty()));
        markers.add(new Marker(1, 1, Optional.empty()));
        submissions.add(image(0, "a", "data:text/plain,n1+dog"));
        submissions.add(image(1, "b", "http://host/words/n2+dog+car"));
        submissions.add(image(2, "a", "data:text/plain,n3+dog+car"));
        submissions.add(new Submission(3, "b", new Position(0, 3), new Content.Deletion()));
        submissions.add(image(4, "a", "http://host/missing/4"));
        submissions.add(new Submission(5, "c", new Position(0, 5), new Content.Unreadable()));
        outcomes.add(tagged(0, "a", "data:text/plain,n1+dog", 0, DOG));
        outcomes.add(tagged(1, "b", "http://host/words/n2+dog+car", 1, CAR, DOG));
        outcomes.add(tagged(2, "a", "data:text/plain,n3+dog+car", 1, CAR, DOG));
        outcomes.add(new Outcome(3, "b", new Position(0, 3), new Result.Deleted()));
        outcomes.add(failed(4, "a", ImageFailureReason.FETCH_NOT_FOUND, 4));
        outcomes.add(new Outcome(5, "c", new Position(0, 5), new Result.DeadLetter()));
        changes.add(new Change(0, "a", change(List.of(DOG), List.of())));
        changes.add(new Change(1, "b", change(List.of(CAR, DOG), List.of())));
        changes.add(new Change(2, "a", change(List.of(CAR), List.of())));
        changes.add(new Change(3, "b", change(List.of(), List.of(CAR, DOG))));
    }

    @Test
    void shouldFindNothingWhereNothingIsWrong() {
        assertThat(check()).isEmpty();
    }

    @Test
    void shouldFindALostOutcome() {
        outcomes.remove(4);
        assertThat(kinds()).containsExactly(Kind.LOST);
    }

    @Test
    void shouldFindALostDeadLetter() {
        outcomes.remove(5);
        assertThat(kinds()).containsExactly(Kind.LOST);
    }

    @Test
    void shouldFindADuplicatedOutcome() {
        outcomes.add(outcomes.get(4));
        assertThat(kinds()).containsExactly(Kind.DUPLICATED);
    }

    @Test
    void shouldFindAnOutcomeOfTwoKinds() {
        outcomes.add(failed(2, "a", ImageFailureReason.FETCH_FAILED, 2));
        assertThat(kinds()).contains(Kind.DUPLICATED);
    }

    @Test
    void shouldFindADuplicatedChange() {
        changes.add(changes.get(2));
        assertThat(kinds()).containsExactly(Kind.DUPLICATED);
    }

    @Test
    void shouldFindSwappedOutcomes() {
        Outcome first = outcomes.get(1);
        outcomes.set(1, outcomes.get(3));
        outcomes.set(3, first);
        assertThat(kinds()).contains(Kind.OUT_OF_ORDER, Kind.WRONG_LATEST);
    }

    @Test
    void shouldFindSwappedFailures() {
        submissions.add(image(6, "a", "http://host/missing/6"));
        outcomes.add(4, failed(6, "a", ImageFailureReason.FETCH_NOT_FOUND, 6));
        assertThat(kinds()).containsExactly(Kind.OUT_OF_ORDER);
    }

    @Test
    void shouldFindAWrongLatestRecord() {
        // An earlier record appears again after the deletion.
        outcomes.add(outcomes.get(1));
        assertThat(kinds()).contains(Kind.WRONG_LATEST);
    }

    @Test
    void shouldTakeWhatFollowsTheVocabulary() {
        removeCar();
        outcomes.add(followed("a", "data:text/plain,n3+dog+car", 2, DOG));
        changes.add(new Change(History.NOBODYS, "a", change(List.of(), List.of(CAR))));
        assertThat(check()).isEmpty();
    }

    @Test
    void shouldFindAnImageThatDoesNotFollowTheVocabulary() {
        removeCar();
        assertThat(kinds()).containsExactly(Kind.NOT_FOLLOWED);
    }

    @Test
    void shouldFindAFollowingThatChangesNothing() {
        outcomes.add(followed("a", "data:text/plain,n3+dog+car", 1, CAR, DOG));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindAFollowingOfADeletedImage() {
        outcomes.add(followed("b", "http://host/words/n2+dog+car", 1, CAR, DOG));
        assertThat(kinds()).contains(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindAFollowingOfAnEarlierVersion() {
        removeCar();
        outcomes.add(followed("a", "data:text/plain,n1+dog", 2, DOG));
        changes.add(new Change(History.NOBODYS, "a", change(List.of(), List.of(CAR))));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    private void removeCar() {
        vocabulary.add(new LabelChange(2, "label-car", Optional.empty(), true));
        markers.add(new Marker(2, 2, Optional.empty()));
    }

    @Test
    void shouldFindAnInventedOutcome() {
        outcomes.add(failed(77, "a", ImageFailureReason.FETCH_NOT_FOUND, 77));
        assertThat(kinds()).contains(Kind.INVENTED);
    }

    @Test
    void shouldFindTheOutcomeOfAnotherImage() {
        outcomes.set(4, failed(4, "b", ImageFailureReason.FETCH_NOT_FOUND, 4));
        assertThat(kinds()).containsExactly(Kind.INVENTED);
    }

    @Test
    void shouldFindANeighboursTags() {
        outcomes.set(0, tagged(0, "a", "data:text/plain,n1+dog", 0));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindTagsOfAnotherEpoch() {
        outcomes.set(2, tagged(2, "a", "data:text/plain,n3+dog+car", 1, DOG));
        changes.remove(2);
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME, Kind.NOT_FOLLOWED);
    }

    @Test
    void shouldFindAnotherReferencesTags() {
        outcomes.set(0, tagged(0, "a", "data:text/plain,n3+dog", 0, DOG));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindAnEpochThatNeverWas() {
        outcomes.set(2, tagged(2, "a", "data:text/plain,n3+dog+car", 9, CAR, DOG));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindAFailureOfAnotherReason() {
        outcomes.set(4, failed(4, "a", ImageFailureReason.FETCH_FAILED, 4));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindAFailureOfAnotherOrigin() {
        outcomes.set(4, failed(4, "a", ImageFailureReason.FETCH_NOT_FOUND, 2));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldTakeTheImageServersFailuresForWhatTheyAre() {
        outcomes.set(4, failed(4, "a", ImageFailureReason.FETCH_FAILED, 4));
        imageServerFailed = true;
        assertThat(check()).isEmpty();

        submissions.set(4, image(4, "a", "nowhere:4"));
        assertThat(kinds()).as("not fetched").containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindTagsForADeletion() {
        outcomes.set(3, tagged(3, "b", "http://host/words/n2+dog+car", 1, CAR, DOG));
        assertThat(kinds()).contains(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindAnOlderVocabularyAfterANewer() {
        outcomes.set(2, tagged(2, "a", "data:text/plain,n3+dog+car", 0, DOG));
        changes.remove(2);
        assertThat(kinds()).as("and it stays that way").containsExactly(Kind.NOT_FOLLOWED, Kind.OLDER_VOCABULARY);
    }

    @Test
    void shouldFindAVocabularyOlderThanTheStart() {
        firstEpoch = 1;
        assertThat(kinds()).containsExactly(Kind.OLDER_VOCABULARY);
    }

    @Test
    void shouldFindChangesThatDoNotAddUp() {
        changes.remove(2);
        assertThat(kinds()).containsExactly(Kind.WRONG_CHANGES);
    }

    @Test
    void shouldFindAVocabularyThatWasNotEncodedToItsEnd() {
        vocabulary.add(label(2, "owl"));
        assertThat(kinds()).containsExactly(Kind.VOCABULARY_NOT_ENCODED);
    }

    @Test
    void shouldTakeWhatFollowsAPolicyAndAModel() {
        putInForce(2, 2, 0.9);
        outcomes.add(followed("a", "data:text/plain,n3+dog+car", 2, new Model("words", "2")));
        changes.add(new Change(History.NOBODYS, "a", change(List.of(), List.of(CAR, DOG))));
        assertThat(check()).isEmpty();
    }

    @Test
    void shouldFindAnImageThatFollowsNoPolicy() {
        putInForce(2, 1, 1.0);
        assertThat(kinds()).as("another threshold").containsExactly(Kind.NOT_FOLLOWED);
    }

    @Test
    void shouldFindTagsOfAModelThatWasNotInForce() {
        ((Result.Tagged) outcomes.get(2).result()).event().setModel(new Model("words", "2"));
        assertThat(kinds()).containsExactly(Kind.WRONG_OUTCOME);
    }

    @Test
    void shouldFindAControlRecordThatWasNotPutInForce() {
        control = Optional.of(control(2, 1, 0.9));
        assertThat(kinds()).containsExactly(Kind.CONTROL_NOT_FOLLOWED);
    }

    @Test
    void shouldTakeEitherTaggingWhereAMarkerIsLost() {
        markers.remove(0);
        markersLost = true;
        assertThat(check()).isEmpty();
        outcomes.set(0, tagged(0, "a", "data:text/plain,n1+dog", 0));
        assertThat(check()).as("as under the empty vocabulary").isEmpty();
        outcomes.set(0, tagged(0, "a", "data:text/plain,n1+dog", 0, CAR));
        assertThat(kinds()).contains(Kind.WRONG_OUTCOME);
    }

    /** Puts a model's release and a policy in force, without any change of labels. */
    private void putInForce(long epoch, int release, double minScore) {
        ClusterControl record = control(epoch, release, minScore);
        MarkerRules rules = new MarkerRules(record.getRevision(), record.getBundle(), record.getPolicy(), epoch, epoch);
        markers.add(new Marker(epoch, vocabulary.size() - 1L, Optional.of(rules)));
        control = Optional.of(record);
    }

    private static ClusterControl control(long revision, int release, double minScore) {
        return new ClusterControl(
                revision,
                new BundleRelease("words", Integer.toString(release), (long) release),
                new TagPolicy(minScore, null, 0.05),
                List.of(),
                Instant.EPOCH);
    }

    @Test
    void shouldFindAPendingEntryThatWasLeft() {
        pending.add(new Owed("a", new RecordOrigin("images", 0, 2L)));
        assertThat(kinds()).containsExactly(Kind.PENDING_LEFT);
    }

    private List<Violation> check() {
        return Checker.check(new History(
                submissions,
                outcomes,
                changes,
                vocabulary,
                markers,
                markersLost,
                control,
                pending,
                firstEpoch,
                imageServerFailed));
    }

    private List<Kind> kinds() {
        return check().stream().map(Violation::kind).toList();
    }

    private static LabelChange label(long offset, String name) {
        return new LabelChange(
                offset,
                "label-" + name,
                Optional.of(new Label(name, List.of(), null, LabelState.ACTIVE, Map.of())),
                true);
    }

    private static Submission image(long sequence, String id, String uri) {
        return new Submission(sequence, id, new Position(0, sequence), new Content.Image(uri));
    }

    private static Outcome followed(String id, String uri, long epoch, Model model, Tag... tags) {
        Outcome outcome = followed(id, uri, epoch, tags);
        ((Result.Tagged) outcome.result()).event().setModel(model);
        return outcome;
    }

    private static Outcome followed(String id, String uri, long epoch, Tag... tags) {
        Outcome outcome = tagged(History.NOBODYS, id, uri, epoch, tags);
        ((Result.Tagged) outcome.result()).event().setCause(Cause.VOCABULARY_CHANGED);
        return outcome;
    }

    private static Outcome tagged(long sequence, String id, String uri, long epoch, Tag... tags) {
        TagEvent event = TagEvent.newBuilder()
                .setUri(uri)
                .setSha256("")
                .setWidth(1)
                .setHeight(1)
                .setTags(List.of(tags))
                .setModel(new Model("words", "1"))
                .setVocabularyEpoch(epoch)
                .setCause(Cause.NEW_IMAGE)
                .setTaggedAt(Instant.EPOCH)
                .build();
        return new Outcome(sequence, id, new Position(0, sequence), new Result.Tagged(event));
    }

    private static Outcome failed(long sequence, String id, ImageFailureReason reason, long originOffset) {
        ImageFailure failure = ImageFailure.newBuilder()
                .setReference(ImageReference.newBuilder().setUri("").build())
                .setReason(reason)
                .setMessage("")
                .setAttempts(1)
                .setFailedAt(Instant.EPOCH)
                .setOrigin(new RecordOrigin("images", 0, originOffset))
                .build();
        return new Outcome(sequence, id, new Position(0, sequence), new Result.Failed(failure));
    }

    private static TagChange change(List<Tag> added, List<Tag> removed) {
        return new TagChange(added, removed, List.of(), Cause.NEW_IMAGE, 0L, Instant.EPOCH);
    }
}
