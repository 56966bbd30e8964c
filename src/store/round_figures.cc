#include "store/round_figures.h"

#include <algorithm>
#include <string_view>

#include "store/rows.h"

namespace cutd {
namespace {

void read_funnel(Database& database, RoundId round, RoundFigures& figures) {
  Statement funnel(database,
                   "SELECT count(DISTINCT sample.instruction_id), count(*), count(response.id), "
                   "total(EXISTS (SELECT 1 FROM judgment WHERE response_id = response.id AND validated = 1)), "
                   "total(EXISTS (SELECT 1 FROM judgment WHERE response_id = response.id) AND NOT EXISTS "
                   "(SELECT 1 FROM judgment WHERE response_id = response.id AND state <> 'failed')), "
                   "total(EXISTS (SELECT 1 FROM judgment WHERE response_id = response.id AND label = 'positive')), "
                   "total(EXISTS (SELECT 1 FROM judgment WHERE response_id = response.id AND label = 'negative')), "
                   "coalesce((SELECT positives + negatives FROM manifest WHERE round_id = ?1), 0), "
                   "total(response.finish_reason = 'stop'), total(response.finish_reason = 'length') "
                   "FROM unit JOIN sample ON sample.unit_id = unit.id "
                   "LEFT JOIN response ON response.sample_id = sample.id WHERE unit.round_id = ?1");
  funnel.bind_all(round);
  if (!funnel.step()) return;
  std::int64_t* const columns[] = {&figures.instructions, &figures.planned,   &figures.generated, &figures.judged,
                                   &figures.failed,       &figures.positives, &figures.negatives, &figures.trained,
                                   &figures.stopped,      &figures.cut_off};
  int column = 0;
  for (std::int64_t* value : columns) *value = static_cast<std::int64_t>(funnel.real(column++));
}

}  // namespace

RoundFigures read_round_figures(Reader& reader, RoundId round) {
  RoundFigures figures;
  read_funnel(reader.database(), round, figures);
  figures.words = word_bins(reader.database().all(
      "SELECT response.text FROM unit CROSS JOIN sample ON sample.unit_id = unit.id "
      "CROSS JOIN response ON response.sample_id = sample.id WHERE unit.round_id = ?",
      [](Statement& row) { return count_words(row.text(0)); }, round));
  return figures;
}

std::vector<WordBin> word_bins(const std::vector<std::int64_t>& lengths, std::int64_t bins) {
  if (lengths.empty()) return {};
  const auto [least, most] = std::minmax_element(lengths.begin(), lengths.end());
  const std::int64_t width = (*most - *least) / bins + 1;
  const std::int64_t start = *least / width * width;
  std::vector<WordBin> result;
  for (std::int64_t from = start; from <= *most; from += width) result.push_back({from, from + width - 1, 0});
  for (const std::int64_t length : lengths) ++result[static_cast<std::size_t>((length - start) / width)].count;
  return result;
}

std::int64_t count_words(std::string_view text) {
  std::int64_t count = 0;
  bool inside = false;
  for (const char byte : text) {
    const bool space = byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r' || byte == '\f' || byte == '\v';
    if (!space && !inside) ++count;
    inside = !space;
  }
  return count;
}

LabelCounts count_labels(Reader& reader, RoundId round, AnnotatorId annotator) {
  return reader.database()
      .first(
          "SELECT coalesce(sum(count), 0), coalesce(sum(count) FILTER (WHERE state = 'failed'), 0), "
          "coalesce(sum(count) FILTER (WHERE label = 'positive'), 0), "
          "coalesce(sum(count) FILTER (WHERE label = 'negative'), 0) FROM judgment_count "
          "WHERE round_id = ? AND evaluation_id = 0 AND annotator_id = ?",
          [](Statement& row) {
            return LabelCounts{row.integer(0), row.integer(1), row.integer(2), row.integer(3)};
          },
          round, annotator)
      .value_or(LabelCounts{});
}

}  // namespace cutd
