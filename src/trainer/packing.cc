#include "trainer/packing.h"

#include <algorithm>

#include "trainer/objective.h"

namespace cutd {
namespace {

std::int64_t row_tokens(const TrainingExample& example, bool judged) {
  const std::vector<std::int64_t>& prompt = judged ? example.prompt_judge_ids : example.prompt_ids;
  return static_cast<std::int64_t>(prompt.size() + example.response_ids.size());
}

// Adds rows that belong together to the last pack, or to a new one when they would not fit.
void add_together(std::vector<Pack>& packs, const std::vector<PackRow>& rows, std::int64_t tokens,
                  std::int64_t pack_tokens) {
  if (rows.empty()) return;
  if (packs.empty() || packs.back().tokens + tokens > pack_tokens) packs.emplace_back();
  Pack& pack = packs.back();
  pack.rows.insert(pack.rows.end(), rows.begin(), rows.end());
  pack.tokens += tokens;
}

bool holds_one_example(const Pack& pack) {
  return std::all_of(pack.rows.begin(), pack.rows.end(),
                     [&](const PackRow& row) { return row.example == pack.rows.front().example; });
}

}  // namespace

StepPacks plan_packs(const ObjectiveConfig& objective, std::span<const TrainingExample* const> step,
                     std::int64_t pack_tokens) {
  StepPacks packs;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const ContextUses uses = context_uses(objective, step[i]->kind);
    std::vector<PackRow> coupled;
    std::int64_t coupled_tokens = 0;
    const auto place = [&](ContextUse use, bool judged) {
      if (use == ContextUse::kNone) return;
      const std::int64_t tokens = row_tokens(*step[i], judged);
      if (use == ContextUse::kValues) return add_together(packs.values, {{i, judged}}, tokens, pack_tokens);
      coupled.push_back({i, judged});
      coupled_tokens += tokens;
    };
    place(uses.plain, false);
    place(uses.judged, true);
    add_together(packs.gradients, coupled, coupled_tokens, pack_tokens);
  }
  return packs;
}

std::int64_t smaller_budget(const StepPacks& packs) {
  std::int64_t largest = 0;
  for (const std::vector<Pack>* list : {&packs.values, &packs.gradients}) {
    for (const Pack& pack : *list) {
      if (!holds_one_example(pack)) largest = std::max(largest, pack.tokens);
    }
  }
  return largest / 2;
}

}  // namespace cutd
