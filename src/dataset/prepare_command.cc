#include "dataset/prepare_command.h"

#include <algorithm>
#include <ostream>

#include "core/json.h"
#include "core/signals.h"
#include "dataset/downsample.h"

namespace cutd {
namespace {

Json sequence_json(const PreparedSequence& sequence) {
  return {{"ids", sequence.ids},
          {"labels", make_labels(sequence.ids, sequence.prompt_length)},
          {"n_masked", sequence.prompt_length},
          {"n_overflow", sequence.overflow}};
}

Json triplet_json(const Triplet& triplet, std::size_t position, const PreparedTriplet& prepared, bool drawn) {
  Json row = {{"position", position},
              {"id", triplet.id},
              {"kind", example_kind_name(prepared.kind)},
              {"has_input", !triplet.input.empty()},
              {"kept", drawn && prepared.skipped.empty()}};
  if (!prepared.skipped.empty()) row["reason"] = prepared.skipped;
  else row["reason"] = drawn ? Json(nullptr) : Json("down-sampled");
  row["prompt_plain"] = prepared.prompt_plain;
  if (prepared.kind == ExampleKind::kAlignN) row["prompt_judged"] = prepared.prompt_judged;
  if (!prepared.skipped.empty()) return row;
  if (prepared.judged.has_value()) row["judged"] = sequence_json(*prepared.judged);
  row["plain"] = sequence_json(prepared.plain);
  row["answer_tokens_with_eos"] = prepared.plain.ids.size() - prepared.plain.prompt_length;
  return row;
}

struct Counts {
  std::size_t positives = 0, negatives = 0, kept_positives = 0, kept_negatives = 0, skipped = 0, tokens = 0;

  void add(const PreparedTriplet& prepared, bool drawn) {
    const bool positive = prepared.kind == ExampleKind::kAlignP;
    (positive ? positives : negatives) += 1;
    if (!prepared.skipped.empty()) ++skipped;
    if (!drawn || !prepared.skipped.empty()) return;
    (positive ? kept_positives : kept_negatives) += 1;
    tokens += prepared.plain.ids.size() + (prepared.judged.has_value() ? prepared.judged->ids.size() : 0);
  }
};

}  // namespace

void run_data_prepare(const PrepareCommandOptions& options, const PromptTemplate& prompts, const TextEncoder& encode,
                      std::ostream& output) {
  const std::vector<Triplet> triplets = read_triplets(options.data);
  std::vector<ExampleKind> kinds;
  kinds.reserve(triplets.size());
  for (const Triplet& triplet : triplets) {
    kinds.push_back(triplet.positive() ? ExampleKind::kAlignP : ExampleKind::kAlignN);
  }
  const std::vector<std::size_t> kept =
      downsample_positives(kinds, options.downsample, static_cast<std::uint64_t>(options.seed));
  Counts counts;
  for (std::size_t i = 0; i < triplets.size(); ++i) {
    throw_if_stopped(options.stop, "preparing");
    const bool drawn = std::binary_search(kept.begin(), kept.end(), i);
    const PreparedTriplet prepared = prepare_triplet(triplets[i], prompts, encode, options.cutoff_len, options.eos_id);
    counts.add(prepared, drawn);
    if (options.json) output << to_json_text(triplet_json(triplets[i], i, prepared, drawn)) << "\n";
  }
  if (options.json) return;
  output << "triplets    " << triplets.size() << "\n"
         << "negatives   " << counts.negatives << ", kept " << counts.kept_negatives << "\n"
         << "positives   " << counts.positives << ", kept " << counts.kept_positives << "\n"
         << "examples    " << counts.kept_negatives + counts.kept_positives << ", sequences "
         << 2 * counts.kept_negatives + counts.kept_positives << ", tokens " << counts.tokens << "\n"
         << "unusable    " << counts.skipped << "\n";
}

}  // namespace cutd
