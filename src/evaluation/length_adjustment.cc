#include "evaluation/length_adjustment.h"

#include <algorithm>
#include <cmath>

namespace cutd {
namespace {

constexpr int kMaxSteps = 100;
constexpr double kConverged = 1e-12;
constexpr double kDiverged = 40;  // a weight beyond this means that the data are separable

double length_scale(const std::vector<LengthPair>& pairs) {
  const double n = static_cast<double>(pairs.size());
  if (pairs.size() < 2) return 0;
  double sum = 0;
  for (const LengthPair& pair : pairs) sum += static_cast<double>(pair.length_1 - pair.length_2);
  double squares = 0;
  for (const LengthPair& pair : pairs) {
    const double off = static_cast<double>(pair.length_1 - pair.length_2) - sum / n;
    squares += off * off;
  }
  return std::sqrt(squares / (n - 1));
}

double sigmoid(double value) { return 1 / (1 + std::exp(-value)); }

struct Point {
  double x = 0;
  double y = 0;
};

struct Weights {
  double constant = 0;
  double length = 0;
};

double log_loss(const std::vector<Point>& points, const Weights& weights) {
  double sum = 0;
  for (const Point& point : points) {
    const double logit = weights.constant + weights.length * point.x;
    sum += std::max(logit, 0.0) - logit * point.y + std::log1p(std::exp(-std::fabs(logit)));
  }
  return sum;
}

// One Newton step of the two-parameter logistic likelihood; nullopt when the curvature is singular.
std::optional<Weights> newton_step(const std::vector<Point>& points, const Weights& weights) {
  double g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0;
  for (const Point& point : points) {
    const double p = sigmoid(weights.constant + weights.length * point.x);
    const double curvature = p * (1 - p);
    g0 += point.y - p;
    g1 += (point.y - p) * point.x;
    h00 += curvature;
    h01 += curvature * point.x;
    h11 += curvature * point.x * point.x;
  }
  const double determinant = h00 * h11 - h01 * h01;
  if (!(determinant > 1e-12 * std::max(1.0, h00 * h11))) return std::nullopt;
  return Weights{(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant};
}

std::optional<Weights> fit(const std::vector<Point>& points) {
  Weights weights;
  double loss = log_loss(points, weights);
  for (int step = 0; step < kMaxSteps; ++step) {
    const auto move = newton_step(points, weights);
    if (!move) return std::nullopt;
    if (std::fabs(move->constant) + std::fabs(move->length) < kConverged) return weights;
    double scale = 1;  // halved until the loss does not rise: far from the optimum a whole step can overshoot
    Weights next;
    double next_loss = loss;
    do {
      next = {weights.constant + scale * move->constant, weights.length + scale * move->length};
      next_loss = log_loss(points, next);
      scale /= 2;
    } while (next_loss > loss && scale > 1e-6);
    if (!(next_loss <= loss)) return weights;  // no better point within rounding
    if (std::fabs(next.constant) > kDiverged || std::fabs(next.length) > kDiverged) return std::nullopt;
    weights = next;
    loss = next_loss;
  }
  return std::nullopt;
}

}  // namespace

std::optional<LengthAdjustment> adjust_for_length(const std::vector<LengthPair>& pairs) {
  const double scale = length_scale(pairs);
  if (!(scale > 0)) return std::nullopt;
  std::vector<Point> points;
  for (const LengthPair& pair : pairs) {
    if (const auto share = preference_share(pair.preference))
      points.push_back({std::tanh(static_cast<double>(pair.length_1 - pair.length_2) / scale), *share});
  }
  const auto weights = fit(points);
  if (!weights) return std::nullopt;
  return LengthAdjustment{sigmoid(weights->constant) * 100, weights->constant, weights->length, scale};
}

std::int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

}  // namespace cutd
