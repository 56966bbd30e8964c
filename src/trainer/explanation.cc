#include "trainer/explanation.h"

#include <algorithm>
#include <utility>

#include "core/signals.h"

namespace cutd {
namespace {

bool is_counted(const ObjectiveConfig& objective, const TrainingExample& example) {
  return objective.name != "mle" || example.kind == ExampleKind::kAlignP;
}

// Scales of all examples; those that are left out have zeros and count nowhere.
std::vector<LossScales> scales_of(const ObjectiveConfig& objective, std::span<const TrainingExample> batch,
                                  std::size_t micro_batch_size) {
  std::vector<ExampleShape> shapes;
  for (const TrainingExample& example : batch) {
    if (is_counted(objective, example)) shapes.push_back({example.kind, example.response_ids.size(), example.weight});
  }
  const std::vector<LossScales> counted = loss_scales(objective, shapes, micro_batch_size);
  std::vector<LossScales> scales(batch.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (is_counted(objective, batch[i])) scales[i] = counted[next++];
  }
  return scales;
}

// The contexts of one example, first those without gradient.
class ExampleRun {
 public:
  ExampleRun(TrainingDecoder& decoder, const TrainingExample& example, ContextUses uses)
      : decoder_(decoder), example_(example), uses_(uses) {}

  ExampleLogProbs forward() {
    ExampleLogProbs log_probs;
    log_probs.kind = example_.kind;
    for (const bool gradient : {false, true}) {
      const std::vector<TrainingSequence> pack = sequences(gradient);
      if (pack.empty()) continue;
      std::vector<TokenValues> values = decoder_.forward(pack, 0, gradient);
      for (std::size_t i = 0; i < pack.size(); ++i) {
        TokenLogProbs& context = pack[i].number == kJudged ? log_probs.judged : log_probs.plain;
        context.log_p = std::move(values[i].log_p);
        context.log_not_p = std::move(values[i].log_not_p);
      }
    }
    return log_probs;
  }

  void backward(const ExampleLoss& loss) {
    std::vector<std::vector<float>> coefficients;
    for (const TrainingSequence& sequence : sequences(true)) {
      coefficients.push_back(sequence.number == kJudged ? loss.gradient_judged : loss.gradient_plain);
    }
    if (!coefficients.empty()) decoder_.backward(coefficients);
  }

 private:
  enum : std::uint32_t { kPlain = 0, kJudged = 1 };

  std::vector<TrainingSequence> sequences(bool gradient) const {
    std::vector<TrainingSequence> pack;
    if ((uses_.plain == ContextUse::kGradient) == gradient)
      pack.push_back({example_.prompt_ids, example_.response_ids, kPlain});
    if (example_.kind == ExampleKind::kAlignN && (uses_.judged == ContextUse::kGradient) == gradient) {
      pack.push_back({example_.prompt_judge_ids, example_.response_ids, kJudged});
    }
    return pack;
  }

  TrainingDecoder& decoder_;
  const TrainingExample& example_;
  const ContextUses uses_;
};

std::vector<MicroBatchTerms> released_micro_batches(const Explanation& explanation, std::size_t size) {
  std::vector<const ExampleExplanation*> counted;
  for (const ExampleExplanation& example : explanation.examples) {
    if (example.counted) counted.push_back(&example);
  }
  const double micro_batches = static_cast<double>((counted.size() + size - 1) / size);
  std::vector<MicroBatchTerms> result;
  for (std::size_t first = 0; first < counted.size(); first += size) {
    MicroBatchTerms terms;
    double tokens = 0;
    double unlike = 0;
    double unlike_tokens = 0;
    for (std::size_t i = first; i < std::min(first + size, counted.size()); ++i) {
      const ExampleExplanation& example = *counted[i];
      const double count = static_cast<double>(example.log_probs.plain.log_p.size());
      tokens += count;
      terms.like += count * example.terms.likelihood_term;
      terms.loss += micro_batches * example.terms.loss;
      if (example.log_probs.kind != ExampleKind::kAlignN) continue;
      unlike_tokens += count;
      unlike += count * example.terms.unlikelihood_term;
    }
    terms.like /= tokens;
    if (unlike_tokens > 0) terms.unlike = unlike / unlike_tokens;
    result.push_back(terms);
  }
  return result;
}

}  // namespace

Explanation explain(TrainingDecoder& decoder, const ObjectiveConfig& objective, std::span<const TrainingExample> batch,
                    std::size_t micro_batch_size, bool gradient, const std::stop_token& stop) {
  Explanation explanation;
  const std::vector<LossScales> scales = scales_of(objective, batch, micro_batch_size);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    throw_if_stopped(stop, "explaining");
    ExampleExplanation example;
    example.counted = is_counted(objective, batch[i]);
    ExampleRun run(decoder, batch[i], gradient ? context_uses(objective, batch[i].kind) : ContextUses());
    example.log_probs = run.forward();
    example.constants = detect(objective, example.log_probs);
    example.ratios = judged_to_plain_ratio(objective, example.log_probs);
    example.terms = example_loss(objective, example.log_probs, example.constants, scales[i]);
    run.backward(example.terms);
    explanation.loss += example.terms.loss;
    explanation.counted += example.counted ? 1 : 0;
    explanation.examples.push_back(std::move(example));
  }
  if (objective.variant == "released")
    explanation.micro_batches = released_micro_batches(explanation, micro_batch_size);
  return explanation;
}

}  // namespace cutd
