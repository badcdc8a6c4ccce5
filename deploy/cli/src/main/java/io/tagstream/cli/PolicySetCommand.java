/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.TagPolicy;
import io.tagstream.cluster.OperatorException;
import io.tagstream.topology.control.Controls;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tagstream policy set}. */
@Command(
        name = "set",
        description = {
            "Changes the tag policy; what is not given stays. New images get their tags by it, and known images follow,"
                    + " as they follow a change of the vocabulary.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream policy set --min-score 0.4 --config tagstream.properties",
            "  tagstream policy set --min-score default --top-k 10 --config tagstream.properties"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the policy is in force", "1:the cluster cannot be changed", "2:wrong usage or configuration"
        })
final class PolicySetCommand implements Callable<Integer> {
    private static final String DEFAULT = "default";

    @Option(
            names = "--min-score",
            paramLabel = "SCORE",
            description =
                    "The score in [0, 1] from which a tag is emitted, whatever the thresholds of the labels and the"
                            + " bundle; or default: each label's own threshold, or the bundle's.")
    private String minScore;

    @Option(
            names = "--top-k",
            paramLabel = "N",
            description = "The most tags per image; or default: the bundle's number.")
    private String topK;

    @Option(
            names = "--scores-floor",
            paramLabel = "SCORE",
            description = "Scores of at least this, in [0, 1], are kept for every image. If it falls, known images are"
                    + " decoded again.")
    private String scoresFloor;

    @Mixin
    private ControlOptions control;

    @Override
    public Integer call() {
        if (minScore == null && topK == null && scoresFloor == null) {
            throw OperatorException.invalid("give --min-score, --top-k or --scores-floor");
        }
        policy(new TagPolicy(null, null, 0.0)); // refuses what is wrong before the cluster is asked
        ControlOptions.Outcome outcome = control.change(
                before -> Controls.next(before, before.getBundle(), policy(before.getPolicy()), Instant.now()));
        ClusterControl now = outcome.inForce();
        control.print(now, output -> {
            if (outcome.changed()) {
                output.printf("In force (control revision %d):%n", now.getRevision());
                PolicyShowCommand.print(now.getPolicy(), output);
            } else {
                output.println("The policy is in force already; nothing was changed.");
            }
        });
        return ExitCode.DONE;
    }

    private TagPolicy policy(TagPolicy before) {
        TagPolicy policy = TagPolicy.newBuilder(before).build();
        if (minScore != null) {
            policy.setMinScore(minScore.equals(DEFAULT) ? null : score("--min-score", minScore));
        }
        if (topK != null) {
            policy.setTopK(topK.equals(DEFAULT) ? null : count(topK));
        }
        if (scoresFloor != null) {
            policy.setScoresFloor(score("--scores-floor", scoresFloor));
        }
        return policy;
    }

    private static Double score(String option, String given) {
        String wrong = "%s %s: must be a score in [0, 1]".formatted(option, given);
        try {
            double score = Double.parseDouble(given);
            if (!(score >= 0 && score <= 1)) {
                throw OperatorException.invalid(wrong);
            }
            return score;
        } catch (NumberFormatException e) {
            throw OperatorException.invalid(wrong, e);
        }
    }

    private static Integer count(String given) {
        if (!given.matches("[1-9][0-9]{0,8}")) {
            throw OperatorException.invalid("--top-k %s: must be a number of at least 1".formatted(given));
        }
        return Integer.valueOf(given);
    }
}
