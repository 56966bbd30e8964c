#include "model/rope.h"

#include <cmath>
#include <numbers>

namespace cutd {
namespace {

double llama3_frequency(double frequency, const RopeConfig& rope) {
  const double original = static_cast<double>(rope.original_max_position_embeddings);
  const double wavelength = 2 * std::numbers::pi / frequency;
  if (wavelength > original / rope.low_freq_factor) return frequency / rope.factor;
  if (wavelength < original / rope.high_freq_factor) return frequency;
  const double smooth = (original / wavelength - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  return (1 - smooth) * frequency / rope.factor + smooth * frequency;
}

}  // namespace

std::vector<float> rope_inverse_frequencies(const ModelConfig& config) {
  const std::int64_t half = config.head_dim / 2;
  std::vector<float> frequencies(static_cast<std::size_t>(half));
  for (std::int64_t i = 0; i < half; ++i) {
    const double exponent = static_cast<double>(2 * i) / static_cast<double>(config.head_dim);
    double frequency = std::pow(config.rope.theta, -exponent);
    if (config.rope.type == RopeType::kLinear) frequency /= config.rope.factor;
    if (config.rope.type == RopeType::kLlama3) frequency = llama3_frequency(frequency, config.rope);
    frequencies[static_cast<std::size_t>(i)] = static_cast<float>(frequency);
  }
  return frequencies;
}

RopeTables make_rope_tables(const ModelConfig& config, std::int64_t positions) {
  const std::vector<float> frequencies = rope_inverse_frequencies(config);
  RopeTables tables;
  tables.positions = positions;
  tables.half = static_cast<std::int64_t>(frequencies.size());
  tables.cos.reserve(static_cast<std::size_t>(positions) * frequencies.size());
  tables.sin.reserve(static_cast<std::size_t>(positions) * frequencies.size());
  for (std::int64_t position = 0; position < positions; ++position) {
    for (const float frequency : frequencies) {
      const float angle = static_cast<float>(position) * frequency;  // fp32, as Hugging Face
      tables.cos.push_back(std::cos(angle));
      tables.sin.push_back(std::sin(angle));
    }
  }
  return tables;
}

}  // namespace cutd
