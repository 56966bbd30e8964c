#include "round/generation_work.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/fault.h"
#include "core/random.h"
#include "store/judgments.h"

namespace cutd {
namespace {

struct UnitProgress {
  std::int64_t responses_done = 0;  // of the owner's finished units
  std::int64_t responses_total = 0;
  std::size_t unit_number = 0;  // from 1
  std::size_t units = 0;
};

UnitProgress unit_progress(Reader& reader, UnitOwner owner, UnitId current) {
  UnitProgress progress;
  for (const Unit& unit : list_units(reader, owner)) {
    progress.responses_total += unit.samples;
    if (unit.state == UnitState::kDone) progress.responses_done += unit.samples;
    ++progress.units;
    if (unit.id == current) progress.unit_number = progress.units;
  }
  return progress;
}

double sum_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void check_responses(const std::vector<GeneratedResponse>& responses, std::size_t expected) {
  if (responses.size() != expected) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("the engine answered {} of {} prompts of a unit", responses.size(), expected));
  }
  for (const GeneratedResponse& response : responses) {
    const bool known_reason = response.finish_reason == "stop" || response.finish_reason == "length";
    if (!known_reason || response.logprobs.size() != response.ids.size() || response.ids.empty()) {
      throw Error(ErrorCode::kBadInput,
                  "the engine sent a response without ids, without log-probabilities or with finish reason \"" +
                      response.finish_reason + "\"");
    }
    if (!std::isfinite(sum_of(response.logprobs))) {
      throw Error(ErrorCode::kBadInput, "the engine sent a log-probability that is not a number");
    }
  }
}

std::vector<NewResponse> rows_of(const std::vector<GeneratedResponse>& responses, const ModelReference& model,
                                 const std::string& template_version) {
  std::vector<NewResponse> rows;
  rows.reserve(responses.size());
  for (const GeneratedResponse& response : responses) {
    rows.push_back(
        {response.ids, response.text, response.finish_reason, model.hash, template_version, sum_of(response.logprobs)});
  }
  return rows;
}

}  // namespace

std::vector<NewUnit> make_units(const std::vector<Instruction>& instructions, std::int64_t samples,
                                const GenerationConfig& generation, const RunText& text, const std::string& label) {
  std::vector<NewUnit> units;
  for (const Instruction& instruction : instructions) {
    const std::vector<std::int64_t> prompt_ids = text.prompt_ids({instruction.text, instruction.input});
    for (std::int64_t number = 0; number < samples; ++number) {
      if (units.empty() || units.back().size() == static_cast<std::size_t>(generation.unit_prompts))
        units.emplace_back();
      const std::string seed_label = fmt::format("{} instruction {} sample {}", label, instruction.hash, number);
      units.back().push_back({instruction.id, number, derive_seed(generation.sampling.seed, seed_label), prompt_ids});
    }
  }
  return units;
}

void generate_unit(WorkContext& context, UnitOwner owner, UnitId unit, const ModelReference& model,
                   const std::string& activity) {
  const auto [samples, before] = context.store.read(
      [&](Reader& reader) { return std::pair(list_samples(reader, unit), unit_progress(reader, owner, unit)); });
  GenerateRequest request{
      model.spec, context.frozen.config.generation.sampling, {}, context.frozen.config.generation.max_batch};
  for (const Sample& sample : samples) request.prompts.push_back({sample.prompt_ids, sample.seed});

  ProgressSnapshot now = context.activity;
  now.activity = activity;
  now.total = before.responses_total;
  now.detail = fmt::format("unit {} of {}", before.unit_number, before.units);
  context.board.begin(now, before.responses_done);
  const std::int64_t done_before = before.responses_done;
  const std::vector<GeneratedResponse> responses =
      context.engine.generate(request, context.stop, [&context, done_before, &now](const EngineProgress& progress) {
        const bool loading = progress.phase == "load";
        context.board.advance(done_before + (loading ? 0 : progress.done), loading ? 0 : progress.tokens_per_second,
                              loading ? "loading the model" : now.detail);
      });
  check_responses(responses, samples.size());

  const std::vector<NewResponse> rows = rows_of(responses, model, context.frozen.template_version);
  fault::point("generate.before_commit");
  context.store.write([&](Writer& writer) {
    const std::vector<ResponseId> ids = commit_unit(writer, unit, rows);
    if (std::holds_alternative<EvaluationId>(owner) && model.is_base) {
      // The original model wrote them itself: its own log-probabilities are the guard's.
      std::vector<BaseLogprob> logprobs;
      for (std::size_t i = 0; i < ids.size(); ++i) logprobs.push_back({ids[i], rows[i].logprob_sum});
      record_base_logprobs(writer, logprobs);
    }
    request_judgments(writer, owner, context.frozen.annotator);
  });
  fault::point("generate.after_commit");
  context.board.advance(done_before + static_cast<std::int64_t>(samples.size()), 0, now.detail);
}

}  // namespace cutd
