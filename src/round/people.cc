#include "round/people.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "store/queue_views.h"
#include "store/rounds.h"
#include "store/webhooks.h"

namespace cutd {
namespace {

constexpr std::int64_t kClockEveryMs = 10'000;  // how far back a reboot may find the clock that deadlines are of

std::int64_t milliseconds(double value, double unit_ms) { return std::llround(value * unit_ms); }

GoldItem gold_item(const Json& row, const std::string& origin, const AnnotatorConfig& annotator) {
  GoldItem item;
  item.instruction = json_get<std::string>(row, "instruction", origin);
  item.input = json_get_or<std::string>(row, "input", "", origin);
  item.response = json_get<std::string>(row, "response", origin);
  item.label = from_name<JudgmentLabel>(json_get<std::string>(row, "label", origin));
  const auto suggestion = row.find("suggestion");
  if (annotator.human.suggest && suggestion == row.end()) {
    throw Error(ErrorCode::kBadInput,
                origin + ": \"suggestion\" is missing: people see suggestions, so an item without one would be known");
  }
  if (suggestion == row.end()) return item;
  const auto label = from_name<JudgmentLabel>(json_get<std::string>(*suggestion, "label", origin));
  item.suggestion = {{"label", name_of(label)},
                     {"text", json_get<std::string>(*suggestion, "text", origin)},
                     {"source", json_get<std::string>(*suggestion, "source", origin)}};
  return item;
}

std::string waiting_text(Reader& reader, const FilledQueue& filled) {
  const Queue& queue = filled.queue;
  if (queue.evaluation) return fmt::format("evaluation {} needs people", queue.evaluation->value);
  const std::optional<Round> round = find_round(reader, *queue.round);
  return fmt::format("round {} needs people", round ? round->number : 0);
}

bool something_is_due(Reader& reader, std::int64_t now_ms) {
  return reader.database().integer(
             "SELECT EXISTS (SELECT 1 FROM lease WHERE state = 'live' AND deadline_ms <= ?1) OR "
             "EXISTS (SELECT 1 FROM queue WHERE state = 'closing' OR state = 'open' AND closes_ms <= ?1) OR "
             "EXISTS (SELECT 1 FROM queue LEFT JOIN round ON round.id = queue.round_id LEFT JOIN evaluation ON "
             "  evaluation.id = queue.evaluation_id WHERE queue.state <> 'closed' AND (evaluation.state = 'done' OR "
             "  round.phase NOT IN ('created', 'generating', 'judging', 'paused', 'failed'))) OR "
             "EXISTS (SELECT 1 FROM queue, queue_clock WHERE queue.state <> 'closed' AND seen_ms <= ?2)",
             now_ms, now_ms - kClockEveryMs) != 0;
}

}  // namespace

RunConfig with_guidelines(const RunConfig& config, const FileReader& files) {
  RunConfig read = config;
  for (AnnotatorConfig& annotator : read.annotators) {
    if (annotator.kind != "human" || annotator.human.guidelines_file.empty()) continue;
    if (!annotator.human.guidelines.empty()) {
      throw Error(ErrorCode::kUsage,
                  "annotator " + annotator.name + ": give either human.guidelines or human.guidelines_file, not both");
    }
    annotator.human.guidelines = files(annotator.human.guidelines_file);
    annotator.human.guidelines_file.clear();
  }
  return read;
}

std::vector<GoldItem> read_gold(const AnnotatorConfig& annotator, const FileReader& files) {
  if (annotator.kind != "human" || annotator.human.gold.empty()) return {};
  std::vector<GoldItem> items;
  parse_json_lines(files(annotator.human.gold), annotator.human.gold, [&](const Json& row, const std::string& place) {
    items.push_back(gold_item(row, place, annotator));
  });
  if (items.size() < kLeastGold) {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: {} gold items say too little about a person, at least {} do",
                                                  annotator.human.gold, items.size(), kLeastGold));
  }
  return items;
}

QueueSettings queue_settings(const Annotator& annotator) {
  const HumanAnnotator human = parse_annotator(annotator.config.parse(), "annotator " + annotator.name).human;
  QueueSettings settings;
  settings.overlap = human.overlap;
  settings.agreement = human.agreement;
  settings.lease_ms = milliseconds(human.lease_minutes, 60'000);
  settings.longest_lease_ms = milliseconds(human.longest_lease_minutes, 60'000);
  settings.gold_share = human.gold_share;
  settings.suggest = human.suggest;
  settings.tags = human.tags;
  settings.guideline = guidelines_hash(human);
  settings.deadline_ms = milliseconds(human.deadline_hours, 3'600'000);
  return settings;
}

std::int64_t tend_queues(Store& store, std::int64_t now_ms, const std::function<void(const std::string&)>& say) {
  const auto [fill, due] = store.read(
      [&](Reader& reader) { return std::pair(queues_want_filling(reader), something_is_due(reader, now_ms)); });
  if (due) store.write([&](Writer& writer) { return sweep_queues(writer, now_ms); });
  if (!fill) return 0;
  std::vector<std::string> news;
  const std::int64_t added = store.write([&](Writer& writer) {
    std::int64_t count = 0;
    for (const FilledQueue& filled : fill_queues(writer, queue_settings, now_ms)) {
      count += filled.added;
      announce(writer, "queue.needs_people", "queue/" + std::to_string(filled.queue.id.value),
               {{"round", filled.queue.round ? Json(filled.queue.round->value) : Json()},
                {"evaluation", filled.queue.evaluation ? Json(filled.queue.evaluation->value) : Json()},
                {"responses", filled.added}});
      news.push_back(fmt::format("{}: {} responses wait", waiting_text(writer, filled), filled.added));
    }
    return count;
  });
  for (const std::string& text : news) say(text);
  return added;
}

QueueAgreement queue_agreement(Reader& reader, const Queue& queue) {
  if (queue.settings.overlap < 2) return {};
  std::vector<AgreementUnit> units;
  for (const std::vector<JudgmentLabel>& votes : list_votes(reader, queue.id)) {
    AgreementUnit unit;
    for (const JudgmentLabel vote : votes) unit.push_back(vote == JudgmentLabel::kPositive ? 1 : 0);
    units.push_back(std::move(unit));
  }
  return {krippendorff_alpha(units), static_cast<std::int64_t>(units.size())};
}

}  // namespace cutd
