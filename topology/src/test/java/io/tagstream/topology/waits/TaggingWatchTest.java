/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.waits;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.model.DeviceState;
import io.tagstream.topology.waits.ClusterView.Offsets;
import io.tagstream.topology.waits.Progress.Reading;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class TaggingWatchTest {
    private static final TopicPartition IMAGES = new TopicPartition("images", 0);
    private static final TopicPartition KEYED = new TopicPartition("keyed", 0);
    private static final String HERE = "here";
    private static final String ELSEWHERE = "elsewhere";
    private static final Duration AFTER = Duration.ofMinutes(1);
    private static final Duration LONGEST_IMAGE = Duration.ofMinutes(2);

    private long seconds;
    private final Progress progress =
            new Progress(() -> Duration.ofSeconds(seconds).toNanos());
    private final Restores restores =
            new Restores(() -> Duration.ofSeconds(seconds).toNanos());
    private final Waits waits = new Waits();
    private final Set<TopicPartition> held = new HashSet<>();
    private Optional<Wait> failedThread = Optional.empty();
    private Optional<Wait> missingTopic = Optional.empty();
    private Optional<String> withoutVocabulary = Optional.empty();
    private List<DeviceState> devices = List.of(new DeviceState("cpu", Optional.empty()));

    private final TaggingWatch watch =
            new TaggingWatch("images", "keyed", AFTER, progress, restores, waits, new TaggingWatch.Instance() {
                @Override
                public Optional<Wait> missingTopic() {
                    return missingTopic;
                }

                @Override
                public Optional<Wait> failedThread() {
                    return failedThread;
                }

                @Override
                public Optional<String> withoutVocabulary() {
                    return withoutVocabulary;
                }

                @Override
                public boolean holds(TopicPartition partition) {
                    return held.contains(partition);
                }

                @Override
                public Duration longestImage() {
                    return LONGEST_IMAGE;
                }

                @Override
                public List<DeviceState> devices() {
                    return devices;
                }
            });

    private Offsets images = new Offsets(OptionalLong.of(10), 0, 10, 10);
    private Offsets keyed = new Offsets(OptionalLong.of(10), 0, 10, 10);
    private Map<TopicPartition, String> owners = Map.of(IMAGES, HERE, KEYED, HERE);
    private Map<String, String> members = Map.of(HERE, "client-here", ELSEWHERE, "client-elsewhere");
    private final Map<TopicPartition, Reading> readings =
            new HashMap<>(Map.of(IMAGES, new Reading(10, 10), KEYED, new Reading(10, 10)));

    TaggingWatchTest() {
        progress.client("client-here");
        progress.read(this, readings);
    }

    /** Lets time pass, with the cluster answering and a look once a second. */
    private void pass(int howLong) {
        for (int i = 0; i < howLong; i++) {
            watch.saw(new ClusterView(Map.of(IMAGES, images, KEYED, keyed), owners, members));
            watch.look();
            seconds++;
        }
        watch.saw(new ClusterView(Map.of(IMAGES, images, KEYED, keyed), owners, members));
        watch.look();
    }

    private void imagesArrive() {
        images = new Offsets(OptionalLong.of(10), 0, 15, 15);
        readings.put(IMAGES, new Reading(15, 15));
    }

    private Progress.Task taskOwes(int images) {
        Progress.Task task = progress.task(KEYED);
        task.now(images, 0, 0);
        return task;
    }

    private void assertWaits(WaitReason reason) {
        assertThat(watch.health().healthy()).as(watch.health().text()).isFalse();
        assertThat(watch.health().text()).contains("(" + reason + ")", reason.remedy());
        assertThat(waits.partitions(reason)).isEqualTo(1);
    }

    @Test
    void shouldBeHealthyWhileIdle() {
        progress.task(KEYED);
        pass(1_000);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("idle"));
        assertThat(waits.longestSeconds()).isZero();
    }

    @Test
    void shouldSayThatATopicIsMissingWhateverElseIsInTheWay() {
        imagesArrive();
        missingTopic = Optional.of(new Wait(WaitReason.TOPIC_MISSING, "the cluster has no topic tags"));
        failedThread = Optional.of(new Wait(WaitReason.THREAD_FAILED, "a thread failed"));
        pass(61);
        assertWaits(WaitReason.TOPIC_MISSING);

        missingTopic = Optional.empty();
        pass(1);
        assertWaits(WaitReason.UNEXPLAINED);
    }

    @Test
    void shouldBeHealthyWithoutAPartition() {
        readings.clear();
        owners = Map.of(IMAGES, ELSEWHERE, KEYED, ELSEWHERE);
        images = new Offsets(OptionalLong.of(10), 0, 500, 500);
        pass(1_000);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("without a partition"));
    }

    @Test
    void shouldSayWhichImagesWaitForHowLongAndWhyOnceTheyHaveWaitedForTooLong() {
        imagesArrive();
        pass(60);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("tagging"));
        assertThat(waits.longestSeconds()).isEqualTo(60);
        pass(15);
        assertThat(watch.health().healthy()).isFalse();
        assertThat(watch.health().text())
                .isEqualTo("images of partition 0 of images have waited for 75 s without any coming out (UNEXPLAINED):"
                        + " nothing that this instance knows of is in the way. " + WaitReason.UNEXPLAINED.remedy());
        assertWaits(WaitReason.UNEXPLAINED);

        images = new Offsets(OptionalLong.of(15), 0, 15, 15);
        pass(1);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("idle"));
        assertThat(waits.partitions(WaitReason.UNEXPLAINED)).isZero();
    }

    @Test
    void shouldSayThatTheThreadIsBusyWithOtherPartitions() {
        TopicPartition other = new TopicPartition("images", 1);
        readings.put(other, new Reading(10, 10));
        imagesArrive();
        for (int offset = 11; offset < 81; offset++) {
            pass(1);
            progress.committed(Map.of(other, (long) offset));
        }
        assertWaits(WaitReason.THREAD_BUSY);
        assertThat(watch.health().text()).contains("its stream thread is busy with images of partition 1 of images.");

        pass(70);
        assertWaits(WaitReason.UNEXPLAINED); // the thread gets on with nothing
    }

    @Test
    void shouldNotTakeAThreadForBusyThatWaitsForRecords() {
        TopicPartition other = new TopicPartition("images", 1);
        readings.put(other, new Reading(10, 10));
        imagesArrive();
        for (int offset = 11; offset < 81; offset++) {
            progress.pollBegins(this);
            pass(1);
            progress.pollEnds(this);
            progress.committed(Map.of(other, (long) offset));
        }
        assertWaits(WaitReason.UNEXPLAINED);
    }

    @Test
    void shouldNotTakeAThreadForBusyThatAnotherThreadGetsOnBeside() {
        TopicPartition other = new TopicPartition("images", 1);
        progress.read(new Object(), Map.of(other, new Reading(10, 10)));
        imagesArrive();
        for (int offset = 11; offset < 81; offset++) {
            pass(1);
            progress.committed(Map.of(other, (long) offset));
        }
        assertWaits(WaitReason.UNEXPLAINED);
    }

    @Test
    void shouldAlsoSayThatChangesOfLabelsWait() {
        progress.task(KEYED);
        waits.beginLabels(2, new Wait(WaitReason.REGISTRY_AWAY, "no answer"));
        pass(1);
        assertThat(watch.health())
                .isEqualTo(TaggingHealth.well("idle; changes of labels wait (REGISTRY_AWAY): no answer. "
                        + WaitReason.REGISTRY_AWAY.remedy()));
        withoutVocabulary = Optional.of("the vocabulary is encoded up to offset 2 of 3");
        taskOwes(1);
        pass(61);
        assertWaits(WaitReason.REGISTRY_AWAY);

        waits.endLabels();
        pass(1);
        assertWaits(WaitReason.VOCABULARY_NOT_ENCODED);
    }

    @Test
    void shouldCountOnlyCommittedOutcomesOfATaskThatOwesSome() {
        taskOwes(3).now(3, 0, 3);
        for (int i = 0; i < 10; i++) {
            progress.begun();
            progress.outcome(KEYED); // and the transaction is aborted
            pass(20);
        }
        assertWaits(WaitReason.SLOW_IMAGES);

        progress.begun();
        progress.outcome(KEYED);
        progress.committed(Map.of());
        pass(1);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("tagging"));
    }

    @Test
    void shouldCountAnOutcomeAlsoIfItWasTheLastThatTheTaskOwedAndOtherImagesAreUnread() {
        Progress.Task task = taskOwes(1);
        keyed = new Offsets(OptionalLong.of(10), 0, 15, 15);
        pass(40);
        progress.outcome(KEYED);
        progress.committed(Map.of());
        task.now(0, 0, 0);

        pass(40);

        assertThat(watch.health().healthy()).as(watch.health().text()).isTrue();
    }

    @Test
    void shouldNotMindASlowImageWhileOthersComeOut() {
        taskOwes(1).now(1, 0, 1);
        for (int i = 0; i < 100; i++) {
            pass(50);
            progress.outcome(KEYED);
            progress.committed(Map.of());
            assertThat(watch.health().healthy()).isTrue();
        }
    }

    @Test
    void shouldMindImagesThatAreHeldUpWhileOthersComeOut() {
        Progress.Task task = taskOwes(1);
        waits.begin(0, new Wait(WaitReason.REGISTRY_AWAY, "schema 7 is not known"));
        for (int second = 0; second < 70; second++) {
            task.held(true);
            pass(1);
            progress.outcome(KEYED);
            progress.committed(Map.of());
        }
        assertWaits(WaitReason.REGISTRY_AWAY);
        assertThat(watch.health().text())
                .startsWith("images of partition 0 of ")
                .contains("have waited for 70 s (REGISTRY_AWAY): schema 7 is not known.");

        task.held(false);
        waits.end(0);
        pass(1);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("tagging"));
    }

    @Test
    void shouldGiveImagesInHandTheirOwnTimeOnTop() {
        taskOwes(1).now(1, 0, 1);
        pass(180);
        assertThat(watch.health().healthy()).isTrue();
        pass(1);
        assertWaits(WaitReason.SLOW_IMAGES);
    }

    @Test
    void shouldNameTheDevicesThatFail() {
        devices = List.of(
                new DeviceState("cuda:0", Optional.empty()),
                new DeviceState(
                        "cuda:1",
                        Optional.of(new DeviceState.Failure("out of memory", Instant.parse("2026-11-30T12:00:00Z")))));

        assertThat(watch.health())
                .isEqualTo(TaggingHealth.well(
                        "idle; 1 of the model's 2 devices get no images until they work again: cuda:1 has failed since"
                                + " 2026-11-30T12:00:00Z: out of memory"));
    }

    @Test
    void shouldSayThatThereIsNoRoom() {
        taskOwes(1).now(1, 1, 0);
        pass(61);
        assertWaits(WaitReason.NO_ROOM);
    }

    @Test
    void shouldSayThatAPartitionIsHeld() {
        taskOwes(1).now(1, 0, 1);
        held.add(KEYED);
        pass(61);
        assertWaits(WaitReason.NO_ROOM);
    }

    @Test
    void shouldSayWhatATaskLacks() {
        taskOwes(1);
        waits.begin(0, new Wait(WaitReason.VOCABULARY_BEHIND, "epoch 7 is not read"));
        pass(61);
        assertWaits(WaitReason.VOCABULARY_BEHIND);
    }

    @Test
    void shouldSayWhatNewImagesWouldWaitFor() {
        progress.task(KEYED);
        waits.begin(0, new Wait(WaitReason.OTHER_MODEL, "another bundle tagged them"));
        pass(61);
        assertThat(watch.health().healthy()).isTrue();
        assertThat(watch.health().text())
                .startsWith("idle; new images of partition 0 would wait (OTHER_MODEL): another bundle tagged them.");
    }

    @Test
    void shouldSayThatTheVocabularyIsNotEncoded() {
        taskOwes(1);
        withoutVocabulary = Optional.of("the vocabulary is encoded up to offset 2 of 3");
        pass(61);
        assertWaits(WaitReason.VOCABULARY_NOT_ENCODED);
    }

    @Test
    void shouldSayThatTheRegistryIsAwayAlsoWhileItsThreadIsReplaced() {
        imagesArrive();
        waits.beginAtAdmission(0, new Wait(WaitReason.REGISTRY_AWAY, "no answer"));
        pass(30);
        readings.clear();
        owners = Map.of();
        pass(31);
        assertWaits(WaitReason.REGISTRY_AWAY);
    }

    @Test
    void shouldSayThatAThreadFailedAndStillKnowWhatItOwed() {
        taskOwes(1).close();
        readings.clear();
        owners = Map.of();
        failedThread = Optional.of(new Wait(WaitReason.THREAD_FAILED, "a stream thread failed"));
        pass(61);
        assertWaits(WaitReason.THREAD_FAILED);
    }

    @Test
    void shouldSayThatNoInstanceHasThePartition() {
        imagesArrive();
        readings.clear();
        owners = Map.of(IMAGES, "the dead");
        pass(61);
        assertWaits(WaitReason.REBALANCING);
        assertThat(watch.health().text()).contains("no instance has the partition");

        owners = Map.of(IMAGES, ELSEWHERE, KEYED, ELSEWHERE);
        pass(1);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("without a partition"));
    }

    @Test
    void shouldSayThatATransactionWasFenced() {
        progress.fenced("another has its id"); // in the moment before the wait is noticed
        seconds++;
        Progress.Task task = taskOwes(1);
        task.close();
        pass(61);
        assertWaits(WaitReason.FENCED);
    }

    @Test
    void shouldSayHowMuchIsRestored() {
        keyed = new Offsets(OptionalLong.of(10), 0, 11, 11);
        readings.put(KEYED, new Reading(10, -1));
        restores.onRestoreStart(new TopicPartition("changelog", 0), "pending", 100, 300);
        for (int i = 0; i < 61; i++) {
            pass(1);
            restores.onBatchRestored(new TopicPartition("changelog", 0), "pending", 0, 1);
        }
        pass(1);
        assertWaits(WaitReason.RESTORING);
        assertThat(watch.health().text()).contains("61 of 200 records");
    }

    @Test
    void shouldMindARestoreWithoutKnownImagesOnlyIfItStandsStill() {
        restores.onRestoreStart(new TopicPartition("changelog", 0), "pending", 100, 300);
        for (int i = 0; i < 100; i++) {
            pass(1);
            restores.onBatchRestored(new TopicPartition("changelog", 0), "pending", 0, 1);
        }
        assertThat(watch.health().healthy()).isTrue();
        pass(61);
        assertWaits(WaitReason.RESTORING);
    }

    @Test
    void shouldNotTakeOffsetsThatNobodySeesForImages() {
        progress.task(KEYED);
        images = new Offsets(OptionalLong.of(10), 0, 12, 12); // the end of a transaction
        readings.put(IMAGES, new Reading(12, 10));
        keyed = new Offsets(OptionalLong.empty(), 0, 1, 1);
        readings.put(KEYED, new Reading(1, -1));
        pass(1_000);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("idle"));
    }

    @Test
    void shouldSayThatATransactionIsOpenOnlyIfItsBeginningStays() {
        for (int i = 0; i < 100; i++) {
            images = new Offsets(OptionalLong.of(10 + i), 0, 10 + i, 20 + i);
            readings.put(IMAGES, new Reading(10 + i, 10 + i));
            pass(1);
        }
        assertThat(watch.health().healthy()).isTrue();
        pass(61);
        assertWaits(WaitReason.TRANSACTION_OPEN);
    }

    @Test
    void shouldSayThatTheClusterDoesNotAnswer() {
        progress.task(KEYED);
        pass(1);
        for (int i = 0; i < 61; i++) {
            seconds++;
            watch.look();
        }
        assertThat(watch.health().healthy()).isFalse();
        assertThat(watch.health().text()).startsWith("images of partition 0 of").contains("for 61 s", "(KAFKA_AWAY)");
        assertThat(waits.partitions(WaitReason.KAFKA_AWAY)).isEqualTo(2);
        pass(1);
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("idle"));
    }

    @Test
    void shouldNotBlameTheClusterForTheTimeThatThisProcessStoodStill() {
        progress.task(KEYED);
        pass(1);
        seconds += 1_000;
        watch.look();
        assertThat(watch.health()).isEqualTo(TaggingHealth.well("idle"));
    }

    @Test
    void shouldSayThatTheClusterHasNeverAnswered() {
        readings.clear();
        for (int i = 0; i < 62; i++) {
            seconds++;
            watch.look();
        }
        assertWaits(WaitReason.KAFKA_AWAY);
    }
}
