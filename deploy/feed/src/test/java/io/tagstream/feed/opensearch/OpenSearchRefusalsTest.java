/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.feed.opensearch;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.feed.Refusal;
import io.tagstream.feed.Refusal.Kind;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opensearch.client.opensearch._types.ErrorCause;
import org.opensearch.client.opensearch._types.ErrorResponse;
import org.opensearch.client.opensearch._types.OpenSearchException;
import org.opensearch.client.opensearch.core.bulk.BulkResponseItem;
import org.opensearch.client.opensearch.core.bulk.OperationType;

class OpenSearchRefusalsTest {
    @ParameterizedTest
    @CsvSource({
        "409, version_conflict_engine_exception, STALE",
        "429, es_rejected_execution_exception, MAY_PASS",
        "500, exception, MAY_PASS",
        "503, unavailable_shards_exception, MAY_PASS",
        "403, cluster_block_exception, MAY_PASS",
        "403, security_exception, FATAL",
        "404, index_not_found_exception, FATAL",
        "400, mapper_parsing_exception, REJECTED"
    })
    void shouldJudgeADocumentByItsStatus(int status, String type, Kind expected) {
        BulkResponseItem item = BulkResponseItem.of(each -> each.operationType(OperationType.Index)
                .index("tags-000001")
                .status(status)
                .error(error -> error.type(type)
                        .reason("so it is")
                        .causedBy(ErrorCause.of(cause ->
                                cause.type("illegal_argument_exception").reason("because")))));

        assertThat(OpenSearchRefusals.of(item))
                .isEqualTo(new Refusal(expected, "%s: so it is: because (HTTP status %d)".formatted(type, status)));
    }

    @Test
    void shouldTakeAConnectionThatFailsForWhatMayPass() {
        assertThat(OpenSearchRefusals.of(new CompletionException(new IOException("Connection refused")), false))
                .isEqualTo(new Refusal(Kind.MAY_PASS, "Connection refused"));
    }

    @ParameterizedTest
    @CsvSource({
        "400, false, SUSPECT",
        "400, true, REJECTED",
        "413, false, SUSPECT",
        "429, false, MAY_PASS",
        "502, true, MAY_PASS",
        "401, false, FATAL"
    })
    void shouldNotBlameADocumentForWhatARequestOfSeveralWasRefusedFor(int status, boolean alone, Kind expected) {
        OpenSearchException refused = new OpenSearchException(ErrorResponse.of(response -> response.status(status)
                .error(error -> error.type("some_exception").reason("so it is"))));

        assertThat(OpenSearchRefusals.of(new CompletionException(refused), alone)
                        .what())
                .isEqualTo(expected);
    }
}
