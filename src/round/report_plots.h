// The report's plots as inline SVG. Pure functions of their data; colours come from the page's style sheet, so
// that the same drawing serves light and dark. A plot without data is an empty string.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "round/report_data.h"
#include "round/run_summary.h"

namespace cutd {

// Share of Perfect judgments on the gate set with its interval: the untrained model, then every scored round.
std::string score_plot(const RunSummary& summary);

// Loss, or the share of detected tokens, step by step through all rounds.
std::string loss_plot(const std::vector<ReportStep>& steps);
std::string detected_plot(const std::vector<ReportStep>& steps);

// Words of the responses as boxes (quartiles) with whiskers (5 % and 95 %); the guideline's bounds as a band.
std::string length_plot(const std::vector<ReportLengths>& lengths, std::int64_t min_words, std::int64_t max_words);

// About `count` round numbers that cover [low, high], ascending, the outer ones at or beyond the ends.
std::vector<double> axis_ticks(double low, double high, int count);

}  // namespace cutd
