#include "round/report_html.h"

#include <fmt/format.h>

#include "core/clock.h"
#include "core/hash.h"
#include "judge_client/guideline.h"
#include "round/report_plots.h"
#include "round/report_style.h"

namespace cutd {
namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string interval(const Interval& range) {
  return fmt::format("{:.1f} to {:.1f}", 100 * range.low, 100 * range.high);
}

std::string pill(const std::string& kind, const std::string& text) {
  return fmt::format("<span class=\"pill {}\">{}</span>", kind, html_escaped(text));
}

std::string card(const std::string& kind, const std::string& label, const std::string& figure,
                 const std::string& under) {
  return fmt::format(
      "<div class=\"card {}\"><div class=\"label\">{}</div><div class=\"figure\">{}</div><div "
      "class=\"under\">{}</div></div>\n",
      kind, label, figure, under);
}

// "21.0 % → 66.0 %" of two scores.
std::string from_to(const ScoreSummary& from, const ScoreSummary& to) {
  return fmt::format("<span class=\"from\">{} →</span> {}", percent(from.share.value), percent(to.share.value));
}

const RoundSummary* kept_round(const RunSummary& summary) {
  const RoundSummary* kept = nullptr;
  for (const RoundSummary& round : summary.rounds) {
    if (round.outcome == Outcome::kPromoted) kept = &round;
  }
  return kept;
}

std::string kept_words(const RunSummary& summary, const RoundSummary* kept) {
  if (kept != nullptr) return fmt::format("round {} is kept", kept->number);
  return summary.start ? start_words(*summary.start) + " is kept" : "none is kept";
}

// What a score is over.
std::string judged(const ScoreSummary& score) {
  return fmt::format("{} instructions{}", score.share.count,
                     score.missing > 0 ? fmt::format(", {} without a judgment", score.missing) : "");
}

std::string cards(const RunSummary& summary) {
  std::string html = "<div class=\"cards\">\n";
  if (summary.report_untrained && summary.report_kept) {
    html +=
        card("wide", "Report set, untrained to kept model", from_to(*summary.report_untrained, *summary.report_kept),
             fmt::format("95 % interval {}; {} that no decision read", interval(summary.report_kept->share.interval),
                         judged(*summary.report_kept)));
  }
  const RoundSummary* kept = kept_round(summary);
  if (summary.baseline && kept != nullptr && kept->gate) {
    html += card("wide", "Gate set, untrained to kept model", from_to(*summary.baseline, *kept->gate),
                 fmt::format("95 % interval {}; {}", interval(kept->gate->share.interval), judged(*kept->gate)));
  }
  std::size_t promoted = 0;
  for (const RoundSummary& round : summary.rounds) promoted += round.outcome == Outcome::kPromoted ? 1 : 0;
  html +=
      card("", "Rounds promoted", fmt::format("{} <span class=\"from\">of {}</span>", promoted, summary.rounds.size()),
           kept_words(summary, kept));
  html += card("", "Time", format_duration(summary.seconds), "from start to end");
  return html + "</div>\n";
}

std::string figure(const std::string& title, const std::string& svg, const std::string& caption) {
  if (svg.empty()) return "";
  return fmt::format("<figure><h3>{}</h3>{}<figcaption>{}</figcaption></figure>\n", title, svg, caption);
}

std::string plots(const ReportData& data) {
  const Guideline& guideline = data.frozen.config.annotator().guideline;
  std::string html = figure("Score per round", score_plot(data.summary),
                            "Share of Perfect judgments on the gate set, with 95 % Wilson intervals. Hollow: rejected. "
                            "Dashed: the untrained model.");
  html +=
      figure("Response length", length_plot(data.lengths, guideline.min_words, guideline.max_words),
             "Words per response on the gate set: quartiles, median, 5 % and 95 %. Shaded: what the guideline allows.");
  html +=
      figure("Training loss", loss_plot(data.steps),
             "Mean loss of each optimiser step; its level depends on how many satisfactory responses the step holds.");
  html += figure("Detected tokens", detected_plot(data.steps),
                 "Share of the criticised responses' tokens that were found inappropriate, per optimiser step.");
  return html.empty() ? "" : "<div class=\"plots\">\n" + html + "</div>\n";
}

std::string guard_cells(const std::optional<ScoreSummary>& score, const std::vector<GuardResult>& results) {
  if (!score) return "<td>–</td><td>–</td><td>–</td>";
  const auto value = [&](const std::string& name, double number, int digits) {
    bool within = true;
    std::string band;
    for (const GuardResult& guard : results) {
      if (guard.name != name) continue;
      within = guard.within;
      band = fmt::format(" title=\"allowed {:.3g} to {:.3g}\"", guard.allowed.low, guard.allowed.high);
    }
    return fmt::format("<td{}{}>{:.{}f}</td>", within ? "" : " class=\"out\"", band, number, digits);
  };
  return value("mean_words", score->guards.mean_words, 1) + value("distinct_2", score->guards.distinct_2, 2) +
         value("perplexity", score->guards.perplexity, 2);
}

std::string score_cells(const std::optional<ScoreSummary>& score) {
  if (!score) return "<td>–</td>";
  return fmt::format("<td>{} <span class=\"soft\">({})</span></td>", percent(score->share.value),
                     interval(score->share.interval));
}

// A model that no round of this run made.
std::string reference_row(const std::string& name, const std::optional<ScoreSummary>& score) {
  if (!score) return "";
  return "<tr><td>0 " + pill("", name) + "</td>" + score_cells(score) +
         "<td>–</td><td>–</td><td>–</td><td>–</td><td>–</td>" + guard_cells(score, {}) + "</tr>\n";
}

std::string round_row(const RoundSummary& round) {
  const std::string outcome(round.outcome ? name_of(*round.outcome) : name_of(round.phase));
  std::string html = fmt::format("<tr><td>{} {}</td>", round.number, pill(outcome, outcome)) + score_cells(round.gate);
  html += round.difference ? fmt::format("<td>{:+.1f} <span class=\"soft\">({:+.1f} to {:+.1f})</span></td>",
                                         100 * round.difference->value, 100 * round.difference->interval.low,
                                         100 * round.difference->interval.high)
                           : "<td>–</td>";
  html += fmt::format("<td>{} <span class=\"soft\">of {}</span></td><td>{}</td>", round.positives, round.responses,
                      round.training_examples);
  html += round.last_loss && round.first_loss
              ? fmt::format("<td>{:.2f} to {:.2f}</td>", *round.first_loss, *round.last_loss)
              : "<td>–</td>";
  html += round.detected_fraction ? fmt::format("<td>{}</td>", percent(*round.detected_fraction)) : "<td>–</td>";
  return html + guard_cells(round.gate, round.guard_results) + "</tr>\n";
}

std::string rounds(const RunSummary& summary) {
  std::string html =
      "<h2>Rounds</h2>\n<div class=\"scroll\"><table><thead><tr><th>round</th><th>score (95 %)</th><th>difference to "
      "parent</th>"
      "<th title=\"of the responses written for training\">perfect</th><th title=\"responses in the training "
      "set\">trained "
      "on</th><th>loss</th><th>detected</th><th>words</th><th>distinct-2</th><th>perplexity</th></tr></thead><tbody>\n";
  html += reference_row("untrained", summary.baseline);
  if (summary.start && !summary.rounds.empty()) html += reference_row("start", summary.rounds.front().gate_parent);
  for (const RoundSummary& round : summary.rounds) html += round_row(round);
  html += "</tbody></table></div>\n";
  for (const RoundSummary& round : summary.rounds) {
    if (!round.reason.empty())
      html += fmt::format("<p class=\"note\" style=\"margin:8px 0 0\">Round {}: {}</p>\n", round.number,
                          html_escaped(round.reason));
  }
  return html;
}

std::string answer(const ReportAnswer& given) {
  const std::string verdict = given.perfect ? pill("perfect", "Perfect") : pill("criticised", "criticised");
  const std::string broken =
      given.broken_off ? " <span class=\"soft\" title=\"it reached the most tokens allowed\">[breaks off]</span>" : "";
  return fmt::format(
      "<div class=\"answer\"><div class=\"who\">{} {}</div><div class=\"said\" dir=\"auto\">{}{}</div><div "
      "class=\"judged\" dir=\"auto\">{}</div></div>\n",
      html_escaped(given.model), verdict, html_escaped(given.response), broken, html_escaped(given.judgment));
}

std::string examples(const std::vector<ReportExample>& list) {
  if (list.empty()) return "";
  std::string html =
      "<h2>Responses and their judgments</h2>\n<p class=\"note\">From the gate set, by rule rather than by hand: the "
      "first three that improved, the "
      "first two that got worse, the first two that were criticised twice, the first that was Perfect twice.</p>\n";
  for (const ReportExample& example : list) {
    const std::string input =
        example.input.empty() ? "" : "<div class=\"said soft\">" + html_escaped(example.input) + "</div>";
    html += fmt::format(
        "<section class=\"example\"><header><div><b dir=\"auto\">{}</b>{}</div>{}</header><div class=\"pair\">\n",
        html_escaped(example.instruction), input, pill("", example.kind));
    for (const ReportAnswer& given : example.answers) html += answer(given);
    html += "</div></section>\n";
  }
  return html;
}

std::string fact(const std::string& name, const std::string& value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, html_escaped(value));
}

std::string provenance(const ReportData& data) {
  const RunConfig& config = data.frozen.config;
  std::string html = "<h2>How it was made</h2>\n<dl>\n";
  html += fact("model", data.frozen.model_dir);
  html += fact("model hash", data.frozen.base_hash);
  html +=
      fact("started from", data.summary.start ? start_words(*data.summary.start) + ", hash " + data.summary.start->hash
                                              : "the model itself, untrained");
  html += fact("prompt template", data.frozen.template_version);
  html += fact("annotator", config.judges_name() + " (" + annotator_version(config.annotator()) + ")");
  for (const RoundSummary& round : data.summary.rounds) {
    if (round.adapter) html += fact(fmt::format("adapter, round {}", round.number), *round.adapter);
  }
  html += "</dl>\n<details><summary>The annotator's guideline</summary><p class=\"note\" style=\"margin-top:10px\">" +
          html_escaped(guideline_prose(config.annotator().guideline)) + "</p></details>\n";
  html += "<details><summary>The whole configuration</summary><pre>" +
          html_escaped(to_json_text(run_config_json(config), 2)) + "</pre></details>\n";
  return html +
         "<p class=\"note\" style=\"margin-top:14px\">One run with one seed: at this size another seed may move a "
         "score by many points. The score says how far "
         "responses keep to the written guideline; whether they are true is not judged.</p>\n";
}

// "2026-11-24 03:51 UTC"
std::string minute_of(std::int64_t wall_micros) {
  std::string text = format_utc(wall_micros).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

std::string head(const ReportData& data) {
  const RunSummary& summary = data.summary;
  const std::string state(name_of(summary.state));
  std::string html =
      fmt::format("<h1>{}, run {} {}</h1>\n", html_escaped(summary.name), summary.id.value, pill(state, state));
  html += fmt::format("<p class=\"soft\">Started {}. {} of at most {} rounds, {} fresh instructions each.{}</p>\n",
                      minute_of(data.started_at), summary.rounds.size(), data.frozen.config.limits.rounds,
                      data.frozen.config.data.instructions_per_round,
                      summary.reason.empty() ? "" : " It ended: " + html_escaped(summary.reason) + ".");
  return html;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char byte : text) {
    switch (byte) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      case '\'': html += "&#39;"; break;
      default:
        const bool control = static_cast<unsigned char>(byte) < 0x20 && byte != '\n' && byte != '\t';
        if (control || byte == '\x7f') html += "\uFFFD";
        else html += byte;
    }
  }
  return html;
}

std::string report_page(const ReportData& data) {
  // The policy forbids what the page has no use for, should anything ever slip through the escaping.
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += fmt::format("<title>{}, run {}</title>\n<style>{}</style></head>\n<body><main>\n",
                      html_escaped(data.summary.name), data.summary.id.value, kReportStyle);
  html += head(data) + cards(data.summary);
  html += "<h2>Course of the run</h2>\n" + plots(data) + rounds(data.summary);
  html += examples(data.examples) + provenance(data);
  return html + "</main></body></html>\n";
}

}  // namespace cutd
