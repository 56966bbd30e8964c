#include "round/report_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

namespace cutd {
namespace {

// Every plot has the same size, chosen so that its text is readable on a phone, where it fills the width.
constexpr double kWidth = 440;
constexpr double kHeight = 250;
constexpr double kLeft = 54;
constexpr double kRight = 14;
constexpr double kTop = 20;
constexpr double kBottom = 34;

using Label = std::function<std::string(double)>;

std::string percent_label(double value) { return fmt::format("{:.0f} %", 100 * value); }
std::string number_label(double value) { return fmt::format("{:g}", value); }

class Plot {
 public:
  Plot(std::vector<double> ticks, const Label& label) : low_(ticks.front()), high_(ticks.back()) {
    for (const double tick : ticks) {
      add("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft, kWidth - kRight, y(tick),
          y(tick));
      add("<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kLeft - 7, y(tick) + 4,
          label(tick));
    }
  }

  double y(double value) const {
    return kHeight - kBottom - (value - low_) / (high_ - low_) * (kHeight - kBottom - kTop);
  }
  // The middle of place `index` of `count`.
  static double x(std::size_t index, std::size_t count) {
    return kLeft + (kWidth - kRight - kLeft) * (static_cast<double>(index) + 0.5) / static_cast<double>(count);
  }

  template <typename... Values>
  void add(fmt::format_string<Values...> text, Values&&... values) {
    body_ += fmt::format(text, std::forward<Values>(values)...);
  }
  void x_label(double x, const std::string& text) {
    add("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>", x, kHeight - 12, text);
  }

  // `description` for those who do not see it.
  std::string svg(const std::string& description) const {
    return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>", kWidth, kHeight,
                       description, body_);
  }

 private:
  double low_;
  double high_;
  std::string body_;
};

struct ScorePoint {
  std::string name;
  std::string outcome;  // "untrained", "promoted", "rejected", …
  Share share;
};

std::vector<ScorePoint> score_points(const RunSummary& summary) {
  std::vector<ScorePoint> points;
  if (summary.baseline) points.push_back({"untrained", "untrained", summary.baseline->share});
  for (const RoundSummary& round : summary.rounds) {
    if (!round.gate) continue;
    const std::string outcome(round.outcome ? name_of(*round.outcome) : name_of(round.phase));
    points.push_back({fmt::format("round {}", round.number), outcome, round.gate->share});
  }
  return points;
}

// What fits below one of `count` places.
std::string place_name(const std::string& name, std::size_t count) {
  constexpr std::size_t kMostWhole = 6;
  if (count <= kMostWhole) return name;
  return name == "untrained" ? "0" : name.substr(name.rfind(' ') + 1);
}

// The number stands beside its mark, so that the whisker does not strike it through.
void draw_score(Plot& plot, const ScorePoint& point, double x) {
  const double y = plot.y(point.share.value);
  plot.add("<g class=\"{}\"><title>{}, {}: {:.1f} % (95 % interval {:.1f} to {:.1f}), {} of {}</title>", point.outcome,
           point.name, point.outcome, 100 * point.share.value, 100 * point.share.interval.low,
           100 * point.share.interval.high, point.share.successes, point.share.count);
  const double low = plot.y(point.share.interval.low);
  const double high = plot.y(point.share.interval.high);
  plot.add("<path class=\"whisker\" d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {1:.1f}h12M{3:.1f} {2:.1f}h12\"/>", x, low,
           high, x - 6);
  if (point.outcome == "rejected")
    plot.add("<circle class=\"mark hollow\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>", x, y);
  else plot.add("<circle class=\"mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>", x, y);
  const double lift = point.outcome == "untrained" ? -6 : 4;  // off its own reference line
  plot.add("<text class=\"value\" x=\"{:.1f}\" y=\"{:.1f}\">{:.1f}</text></g>", x + 10, y + lift,
           100 * point.share.value);
}

using Values = std::vector<std::optional<double>>;

// A line through all steps, broken between rounds; each round's range of steps is named below.
void draw_steps(Plot& plot, const std::vector<ReportStep>& steps, const Values& values) {
  std::string path;
  std::size_t first = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool fresh = i == 0 || steps[i].round != steps[i - 1].round;
    const double x = Plot::x(i, steps.size());
    if (fresh) first = i;
    if (fresh && i > 0) {
      const double edge = (x + Plot::x(i - 1, steps.size())) / 2;
      plot.add("<line class=\"edge\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", edge, kTop,
               kHeight - kBottom);
    }
    if (i + 1 == steps.size() || steps[i + 1].round != steps[i].round) {
      plot.x_label((Plot::x(first, steps.size()) + x) / 2, fmt::format("round {}", steps[i].round));
    }
    if (!values[i]) continue;
    path += fmt::format("{}{:.1f} {:.1f}", fresh || path.empty() ? "M" : "L", x, plot.y(*values[i]));
  }
  plot.add("<path class=\"line\" d=\"{}\"/>", path);
}

std::string steps_plot(const std::vector<ReportStep>& steps, const Values& values, const Label& label,
                       const std::string& what) {
  double highest = 0;
  bool any = false;
  for (const auto& value : values) {
    if (!value || !std::isfinite(*value)) continue;
    highest = std::max(highest, *value);
    any = true;
  }
  if (!any) return "";
  Values finite = values;
  for (auto& value : finite) {
    if (value && !std::isfinite(*value)) value.reset();
  }
  Plot plot(axis_ticks(0, std::max(highest, 1e-6), 4), label);
  draw_steps(plot, steps, finite);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!finite[i]) continue;
    plot.add(
        "<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>round {}, step {}: {:.4g}</title></circle>",
        Plot::x(i, steps.size()), plot.y(*finite[i]), steps.size() > 80 ? 1.2 : 2.4, steps[i].round, steps[i].step,
        *finite[i]);
  }
  return plot.svg(what);
}

}  // namespace

std::vector<double> axis_ticks(double low, double high, int count) {
  if (!(high > low)) high = low + 1;
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= rough * 0.999) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const double first = std::floor(low / step + 1e-9);
  const double last = std::ceil(high / step - 1e-9);
  for (double tick = first; tick <= last; ++tick) ticks.push_back(tick * step);
  return ticks;
}

std::string score_plot(const RunSummary& summary) {
  const std::vector<ScorePoint> points = score_points(summary);
  if (points.empty()) return "";
  double highest = 0;
  for (const ScorePoint& point : points) highest = std::max(highest, point.share.interval.high);
  Plot plot(axis_ticks(0, std::min(1.0, highest), 5), percent_label);
  if (summary.baseline) {
    const double y = plot.y(summary.baseline->share.value);
    plot.add("<line class=\"reference\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft, kWidth - kRight, y,
             y);
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = Plot::x(i, points.size());
    draw_score(plot, points[i], x);
    plot.x_label(x, place_name(points[i].name, points.size()));
  }
  return plot.svg("Share of Perfect judgments per round, with 95 % intervals");
}

std::string loss_plot(const std::vector<ReportStep>& steps) {
  Values values;
  for (const ReportStep& step : steps) values.push_back(step.loss);
  return steps_plot(steps, values, number_label, "Training loss per step");
}

std::string detected_plot(const std::vector<ReportStep>& steps) {
  Values values;
  for (const ReportStep& step : steps) values.push_back(step.detected);
  return steps_plot(steps, values, percent_label, "Share of detected tokens per step");
}

std::string length_plot(const std::vector<ReportLengths>& lengths, std::int64_t min_words, std::int64_t max_words) {
  if (lengths.empty()) return "";
  double highest = static_cast<double>(max_words);
  for (const ReportLengths& model : lengths) highest = std::max(highest, model.high);
  Plot plot(axis_ticks(0, highest, 5), number_label);
  plot.add(
      "<rect class=\"band\" x=\"{}\" y=\"{:.1f}\" width=\"{}\" height=\"{:.1f}\"><title>the guideline allows {} to {} "
      "words</title></rect>",
      kLeft, plot.y(static_cast<double>(max_words)), kWidth - kRight - kLeft,
      plot.y(static_cast<double>(min_words)) - plot.y(static_cast<double>(max_words)), min_words, max_words);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const ReportLengths& model = lengths[i];
    const double x = Plot::x(i, lengths.size());
    plot.add("<g><title>{}: median {:.0f} words, half of them {:.0f} to {:.0f}, nine of ten {:.0f} to {:.0f}</title>",
             model.model, model.median, model.quarter, model.three_quarters, model.low, model.high);
    plot.add("<path class=\"whisker\" d=\"M{0:.1f} {1:.1f}V{2:.1f}M{0:.1f} {3:.1f}V{4:.1f}\"/>", x, plot.y(model.low),
             plot.y(model.quarter), plot.y(model.three_quarters), plot.y(model.high));
    plot.add("<rect class=\"box\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"32\" height=\"{:.1f}\" rx=\"3\"/>", x - 16,
             plot.y(model.three_quarters), std::max(1.0, plot.y(model.quarter) - plot.y(model.three_quarters)));
    plot.add(
        "<line class=\"median\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{3:.1f}\" y2=\"{3:.1f}\"/><text class=\"value\" "
        "x=\"{2:.1f}\" y=\"{4:.1f}\">{5:.0f}</text></g>",
        x - 16, x + 16, x + 21, plot.y(model.median), plot.y(model.median) + 4, model.median);
    plot.x_label(x, place_name(model.model, lengths.size()));
  }
  return plot.svg("Words per response on the gate set");
}

}  // namespace cutd
