#include "cutd/run_table.h"

#include <fmt/format.h>

#include <vector>

#include "cutd/output.h"

namespace cutd {
namespace {

double number(const Json& value) { return value.is_number() ? value.get<double>() : 0; }

std::string percent(const Json& value) {
  return value.is_number() ? fmt::format("{:.1f} %", 100 * number(value)) : "-";
}

std::string interval(const Json& value) {
  return value.is_array() ? fmt::format("{:.1f}-{:.1f}", 100 * number(value.at(0)), 100 * number(value.at(1))) : "-";
}

std::string signed_points(const Json& difference) {
  if (!difference.is_object()) return "-";
  const Json& range = difference.at("interval");
  return fmt::format("{:+.1f} ({:+.1f} to {:+.1f})", 100 * number(difference.at("value")), 100 * number(range.at(0)),
                     100 * number(range.at(1)));
}

// A guard's value; "!" when it left its band.
std::string guard(const Json& score, const Json& guards, const std::string& name, int digits) {
  if (!score.is_object()) return "-";
  std::string text = fmt::format("{:.{}f}", number(score.at(name)), digits);
  for (const Json& result : guards) {
    if (result.at("name") == name && result.at("within") == false) text += " !";
  }
  return text;
}

std::string loss(const Json& round) {
  if (!round.at("last_loss").is_number()) return "-";
  return fmt::format("{:.3f} to {:.3f}", number(round.at("first_loss")), number(round.at("last_loss")));
}

std::string examples(const Json& round) {
  const auto trained = round.at("training_examples").get<std::int64_t>();
  return fmt::format("{} of {}", trained, round.at("responses").get<std::int64_t>());
}

std::string outcome(const Json& round) {
  return cell(round.at("outcome").is_null() ? round.at("phase") : round.at("outcome"));
}

std::vector<std::string> round_row(const Json& round) {
  const Json& score = round.at("gate");
  const Json& guards = round.at("guards");
  return {cell(round.at("number")),
          percent(round.at("score")),
          interval(round.at("interval")),
          signed_points(round.at("difference")),
          outcome(round),
          examples(round),
          loss(round),
          percent(round.at("detected_fraction")),
          guard(score, guards, "mean_words", 1),
          guard(score, guards, "distinct_2", 2),
          guard(score, guards, "perplexity", 2)};
}

std::vector<std::string> reference_row(const Json& baseline, const std::string& name) {
  const Json none = Json::array();
  return {"0",
          percent(baseline.at("score")),
          interval(baseline.at("interval")),
          "-",
          name,
          "-",
          "-",
          "-",
          guard(baseline, none, "mean_words", 1),
          guard(baseline, none, "distinct_2", 2),
          guard(baseline, none, "perplexity", 2)};
}

std::string score_text(const Json& score) {
  return percent(score.at("score")) + " (" + interval(score.at("interval")) + ")";
}

std::string missing_line(const std::string& who, const Json& score) {
  if (!score.is_object() || score.at("missing") == 0) return "";
  const auto count = score.at("count").get<std::int64_t>();
  const auto missing = score.at("missing").get<std::int64_t>();
  return fmt::format("{}: {} of {} answers have no judgment; its score leaves them out\n", who, missing,
                     count + missing);
}

std::string missing_lines(const Json& summary) {
  std::string text = missing_line("untrained", summary.at("baseline"));
  for (const Json& round : summary.at("rounds"))
    text += missing_line("round " + cell(round.at("number")), round.at("gate"));
  return text;
}

}  // namespace

std::string rounds_table(const Json& summary) {
  const std::vector<std::string> header = {"round",   "score",      "95 % interval", "difference to parent",
                                           "outcome", "examples",   "loss",          "detected",
                                           "words",   "distinct-2", "perplexity"};
  std::vector<std::vector<std::string>> rows;
  if (summary.at("baseline").is_object()) rows.push_back(reference_row(summary.at("baseline"), "untrained"));
  if (summary.at("start").is_object() && !summary.at("rounds").empty()) {
    const Json& start = summary.at("rounds").front().at("gate_parent");
    if (start.is_object()) rows.push_back(reference_row(start, "start"));
  }
  for (const Json& round : summary.at("rounds")) rows.push_back(round_row(round));
  if (rows.empty()) return "no round has begun yet\n";
  return table_text(header, rows) + missing_lines(summary);
}

std::string report_line(const Json& summary) {
  const Json& untrained = summary.at("report_untrained");
  const Json& kept = summary.at("report_kept");
  if (!untrained.is_object() || !kept.is_object()) return "";
  return fmt::format("report set ({} instructions that no decision read): untrained model {}, kept model {}\n",
                     untrained.at("count").get<std::int64_t>(), score_text(untrained), score_text(kept));
}

std::string adapter_lines(const Json& summary) {
  std::string text;
  for (const Json& round : summary.at("rounds")) {
    if (round.at("adapter").is_string())
      text += fmt::format("round {}  {}\n", cell(round.at("number")), cell(round.at("adapter")));
  }
  return text;
}

std::string run_text(const Json& run) {
  const std::string reason = cell(run.at("reason"));
  const Json& summary = run.at("summary");
  std::string text = fmt::format("run {} ({}) is {}{}, started {}\n", cell(run.at("id")), cell(run.at("name")),
                                 cell(run.at("state")), reason == "-" ? "" : ": " + reason, cell(run.at("created_at")));
  if (const Json& start = summary.at("start"); start.is_object()) {
    text += fmt::format("it builds on adapter {} (round {} of run {})\n", cell(start.at("adapter")),
                        cell(start.at("round")), cell(start.at("run")));
  }
  text += "\n" + rounds_table(summary);
  const std::string report = report_line(summary);
  if (!report.empty()) text += "\n" + report;
  const std::string adapters = adapter_lines(summary);
  if (!adapters.empty()) text += "\nadapters (PEFT layout; each loads on the original model)\n" + adapters;
  return text;
}

std::string troubles_text(const Json& troubles) {
  std::string text;
  for (const Json& one : troubles) text += fmt::format("{} (since {})\n", cell(one.at("text")), cell(one.at("since")));
  return text.empty() ? text : "\n" + text;
}

}  // namespace cutd
