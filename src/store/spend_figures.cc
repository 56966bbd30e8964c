#include "store/spend_figures.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "store/rows.h"

namespace cutd {
namespace {

struct Request {
  AnnotatorId annotator;
  std::string state;
  std::optional<std::int64_t> settled;
  std::optional<std::int64_t> micros;  // until its answer; a batch's answer comes when the batch ends
  std::string failure;                 // of its judgment, where it was the last request
};

std::vector<Request> newest_requests(Reader& reader) {
  return reader.database().all(
      "SELECT judgment.annotator_id, a.state, a.settled, CASE WHEN a.batch_id IS NULL THEN a.settled_at - a.created_at "
      "END, CASE WHEN a.number = (SELECT max(number) FROM judge_attempt WHERE judgment_id = a.judgment_id) "
      "THEN coalesce(judgment.failure, '') ELSE '' END "
      "FROM (SELECT judgment_id, number, state, settled, created_at, settled_at, batch_id FROM judge_attempt "
      "ORDER BY id DESC LIMIT ?) AS a JOIN judgment ON judgment.id = a.judgment_id",
      [](Statement& row) {
        return Request{{row.integer(0)}, row.text(1), row.optional_integer(2), row.optional_integer(3), row.text(4)};
      },
      kNewestRequests);
}

bool holds(const std::string& text, const char* word) { return text.find(word) != std::string::npos; }

void count(const Request& request, RequestFigures& figures) {
  ++figures.count;
  figures.received += request.state == "received" ? 1 : 0;
  figures.failed += request.state == "failed" ? 1 : 0;
  figures.unknown += request.state == "unknown" ? 1 : 0;
  // The words are those of read_chat_reply() and why_no_text() (judge_client).
  const std::string& why = request.failure;
  figures.truncated += holds(why, "answer is truncated") ? 1 : 0;
  figures.refused +=
      holds(why, "answer is refused") || holds(why, "answer is filtered") || holds(why, "the judge declined") ? 1 : 0;
}

// The value that `share` of them do not pass.
double quantile(std::vector<double>& values, double share) {
  const auto place = std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place), values.end());
  return values[place];
}

}  // namespace

std::vector<RoundSpent> list_round_spending(Reader& reader, RunId run) {
  return reader.database().all(
      "SELECT round.id, round.number, sum(balance.reserved), sum(balance.spent) FROM round "
      "JOIN balance ON balance.scope = 'round:' || round.id WHERE round.run_id = ? "
      "GROUP BY round.id ORDER BY round.number DESC",
      [](Statement& row) {
        return RoundSpent{{row.integer(0)}, row.integer(1), {row.integer(2), row.integer(3)}};
      },
      run);
}

SpentSum sum_of_run(Reader& reader, RunId run) {
  return reader.database()
      .first(
          "SELECT coalesce(sum(reserved), 0), coalesce(sum(spent), 0) FROM balance WHERE scope IN ("
          "SELECT 'round:' || id FROM round WHERE run_id = ?1 UNION ALL "
          "SELECT 'evaluation:' || evaluation.id FROM evaluation JOIN run ON run.id = ?1 "
          "WHERE evaluation.created_at >= run.created_at AND evaluation.created_at < "
          "coalesce((SELECT min(next.created_at) FROM run AS next WHERE next.id > ?1), 9223372036854775807))",
          [](Statement& row) {
            return SpentSum{row.integer(0), row.integer(1)};
          },
          run)
      .value_or(SpentSum{});
}

std::set<std::string> list_open_scopes(Reader& reader, std::int64_t now) {
  std::set<std::string> scopes{"total",
                               fmt::format("day:{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(now / 1'000'000)))};
  for (std::string& scope : reader.database().all(
           "SELECT 'round:' || id FROM round WHERE phase NOT IN ('completed', 'failed', 'cancelled') UNION ALL "
           "SELECT 'evaluation:' || id FROM evaluation WHERE state = 'open'",
           [](Statement& row) { return row.text(0); })) {
    scopes.insert(std::move(scope));
  }
  return scopes;
}

std::map<AnnotatorId, RequestFigures> read_request_figures(Reader& reader) {
  struct Sums {
    std::vector<double> seconds;
    std::int64_t settled = 0;
  };
  std::map<AnnotatorId, RequestFigures> figures;
  std::map<AnnotatorId, Sums> sums;
  for (const Request& request : newest_requests(reader)) {
    count(request, figures[request.annotator]);
    Sums& sum = sums[request.annotator];
    sum.settled += request.settled.value_or(0);
    if (request.state == "received" && request.micros)
      sum.seconds.push_back(static_cast<double>(*request.micros) / 1e6);
  }
  for (auto& [annotator, one] : figures) {
    Sums& sum = sums[annotator];
    if (one.received > 0) one.mean_settled = sum.settled / one.received;
    if (sum.seconds.empty()) continue;
    one.median_seconds = quantile(sum.seconds, 0.5);
    one.slow_seconds = quantile(sum.seconds, 0.9);
  }
  return figures;
}

}  // namespace cutd
