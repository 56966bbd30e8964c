// What the queue's query files share. Internal to the module.
#pragma once

#include <string>

#include "store/queue.h"
#include "store/rows.h"

namespace cutd::queue_detail {

inline std::string select_queue(const char* rest) {
  return std::string(
             "SELECT id, round_id, evaluation_id, annotator_id, state, overlap, agreement, lease_ms, longest_lease_ms, "
             "gold_share, suggest, tags, guideline, created_at FROM queue ") +
         rest;
}

inline Queue queue_of(Statement& row) {
  Queue queue;
  queue.id = {row.integer(0)};
  queue.round = store_rows::optional_id<RoundId>(row, 1);
  queue.evaluation = store_rows::optional_id<EvaluationId>(row, 2);
  queue.annotator = {row.integer(3)};
  queue.state = row.text(4);
  queue.settings.overlap = row.integer(5);
  queue.settings.agreement = row.text(6);
  queue.settings.lease_ms = row.integer(7);
  queue.settings.longest_lease_ms = row.integer(8);
  queue.settings.gold_share = row.real(9);
  queue.settings.suggest = row.integer(10) != 0;
  queue.settings.tags = store_rows::json(row, 11).get<std::vector<std::string>>();
  queue.settings.guideline = row.text(12);
  queue.created_at = row.integer(13);
  return queue;
}

// What an item shows: columns and joins of a query over `task`.
constexpr const char* kItemColumns =
    "coalesce(instruction.text, gold.instruction), coalesce(instruction.input, gold.input), "
    "coalesce(response.text, gold.response)";
constexpr const char* kItemJoins =
    "LEFT JOIN judgment ON judgment.id = task.judgment_id LEFT JOIN response ON response.id = judgment.response_id "
    "LEFT JOIN sample ON sample.id = response.sample_id LEFT JOIN instruction ON instruction.id = "
    "sample.instruction_id "
    "LEFT JOIN gold ON gold.id = task.gold_id ";

// The queue that gives an item its guideline and times: its own; for a gold item, the newest of its annotator.
constexpr const char* kShownQueue =
    "JOIN queue AS shown ON shown.id = coalesce(task.queue_id, "
    "(SELECT max(newest.id) FROM queue AS newest WHERE newest.annotator_id = task.annotator_id)) ";

}  // namespace cutd::queue_detail
