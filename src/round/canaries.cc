#include "round/canaries.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "core/blanks.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "round/sample_verdicts.h"
#include "store/evaluations.h"
#include "store/instructions.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/units.h"

namespace cutd {
namespace {

constexpr const char* kCanaries = "canaries";  // stands for a model, a set and a decoding

std::string required_text(const Json& row, const char* key, const std::string& place) {
  std::string text = json_get<std::string>(row, key, place);
  if (is_blank(text)) throw Error(ErrorCode::kBadInput, place + ": key \"" + key + "\" is empty");
  return text;
}

CanaryRow parse_canary(const Json& row, const std::string& place) {
  static const std::set<std::string> kKeys = {"instruction", "input", "reference", "response", "perfect", "attack"};
  if (!row.is_object()) throw Error(ErrorCode::kBadInput, place + ": a canary must be an object");
  for (const auto& [key, value] : row.items()) {
    if (!kKeys.contains(key)) throw Error(ErrorCode::kBadInput, place + ": unknown key \"" + key + "\"");
  }
  CanaryRow canary;
  canary.instruction.text = required_text(row, "instruction", place);
  canary.instruction.input = json_get_or<std::string>(row, "input", "", place);
  canary.instruction.reference = json_get_or<std::string>(row, "reference", "", place);
  canary.place = place;
  canary.instruction.hash = instruction_hash(canary.instruction.text, canary.instruction.input);
  canary.instruction.split = Split::kGate;
  canary.response = required_text(row, "response", place);
  canary.perfect = json_get<bool>(row, "perfect", place);
  canary.attack = json_get_or<bool>(row, "attack", false, place);
  if (canary.attack && canary.perfect)
    throw Error(ErrorCode::kBadInput, place + ": an attack is not satisfactory: \"perfect\" must be false");
  return canary;
}

// Its sample's number is its place in the list of all canaries.
std::size_t index_of(const Sample& sample) { return static_cast<std::size_t>(sample.number); }

std::vector<Sample> canary_samples(Reader& reader, EvaluationId evaluation) {
  std::vector<Sample> samples;
  for (const Unit& unit : list_units(reader, evaluation)) {
    for (Sample& sample : list_samples(reader, unit.id)) samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace

std::vector<CanaryRow> parse_canaries(std::string_view bytes, const std::string& origin) {
  std::vector<CanaryRow> canaries;
  std::set<std::pair<std::string, std::string>> seen;
  parse_json_lines(bytes, origin, [&](const Json& row, const std::string& place) {
    CanaryRow canary = parse_canary(row, place);
    canary.instruction.source = origin;
    if (!seen.emplace(canary.instruction.hash, canary.response).second)
      throw Error(ErrorCode::kBadInput, place + ": this canary stands here twice");
    canaries.push_back(std::move(canary));
  });
  if (canaries.empty()) throw Error(ErrorCode::kBadInput, origin + " holds no canary");
  return canaries;
}

std::vector<Canary> hold_out_canaries(Writer& writer, const std::vector<CanaryRow>& rows, const std::string& source) {
  std::vector<NewInstruction> instructions;
  instructions.reserve(rows.size());
  for (const CanaryRow& row : rows)
    instructions.push_back({row.instruction.text, row.instruction.input, row.instruction.reference});
  import_instructions(writer, instructions, Split::kGate, source);
  std::map<std::string, InstructionId> known;
  for (const Instruction& instruction : list_instructions(writer, Split::kGate))
    known.emplace(instruction.hash, instruction.id);
  std::vector<Canary> canaries;
  for (const CanaryRow& row : rows) {
    const auto found = known.find(row.instruction.hash);
    if (found == known.end()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("alarms.canaries: \"{}\" has another use in this data folder (it was trained on, or "
                              "belongs to the report set); take it out or use another --data-dir",
                              row.instruction.text));
    }
    canaries.push_back({found->second, row.response, row.perfect, row.attack});
  }
  return canaries;
}

std::vector<CanaryPlace> places_of_canaries(const FrozenRun& frozen, const Round& round) {
  const DataConfig& data = frozen.config.data;
  const auto responses = static_cast<std::size_t>(data.instructions_per_round * data.responses_per_instruction);
  const std::int64_t seed = derive_seed(frozen.config.limits.seed, "canaries of round " + std::to_string(round.number));
  return canary_places(responses, frozen.canaries.size(),
                       static_cast<std::size_t>(frozen.config.alarms.canaries_per_round), seed);
}

EvaluationKey canary_key(const FrozenRun& frozen, const Round& round) {
  const std::string name = fmt::format("canaries of round {} of run {}", round.number, round.run.value);
  return {sha256_hex(name), sha256_hex(kCanaries), frozen.annotator, sha256_hex(kCanaries)};
}

CanaryFacts read_canary_facts(Reader& reader, const FrozenRun& frozen, const Round& round) {
  CanaryFacts facts;
  facts.wanted = !frozen.canaries.empty();
  if (!facts.wanted) return facts;
  const auto evaluation = find_evaluation(reader, canary_key(frozen, round));
  facts.planned = evaluation.has_value();
  if (evaluation) facts.judgments_pending = count_judgments(reader, evaluation->id, frozen.annotator).pending;
  return facts;
}

std::vector<CanaryAnswer> read_canary_answers(Reader& reader, const FrozenRun& frozen, const Round& round) {
  const auto evaluation = find_evaluation(reader, canary_key(frozen, round));
  if (!evaluation) return {};
  const std::map<SampleId, bool> verdicts = sample_verdicts(reader, evaluation->id, frozen.annotator);
  std::vector<CanaryAnswer> answers;
  for (const Sample& sample : canary_samples(reader, evaluation->id)) {
    const Canary& canary = frozen.canaries.at(index_of(sample));
    CanaryAnswer answer{canary.perfect, canary.attack, std::nullopt};
    const auto found = verdicts.find(sample.id);
    if (found != verdicts.end()) answer.judged = found->second;
    answers.push_back(answer);
  }
  return answers;
}

void plan_canaries(WorkContext& context, const Round& round) {
  NewUnit samples;
  std::vector<NewResponse> responses;
  for (const CanaryPlace& place : places_of_canaries(context.frozen, round)) {
    const Canary& canary = context.frozen.canaries.at(place.canary);
    samples.push_back({canary.instruction, static_cast<std::int64_t>(place.canary), 0, {}});
    responses.push_back({context.text.encode(canary.response, false), canary.response, "stop", sha256_hex(kCanaries),
                         context.frozen.template_version, 0});
  }
  context.store.write([&](Writer& writer) {
    const EvaluationId evaluation = ensure_evaluation(writer, canary_key(context.frozen, round), Split::kGate);
    if (!list_units(writer, evaluation).empty()) return;
    const std::vector<UnitId> units = plan_units(writer, evaluation, Split::kGate, {&samples, 1});
    commit_unit(writer, units.front(), responses);
    request_judgments(writer, evaluation, context.frozen.annotator);
  });
}

bool is_canary_evaluation(const Evaluation& evaluation) {
  return evaluation.key.decoding_hash == sha256_hex(kCanaries);
}

std::vector<PendingJudgment> mix_in_canaries(Reader& reader, UnitOwner owner, AnnotatorId annotator,
                                             std::vector<PendingJudgment> pending) {
  if (!std::holds_alternative<RoundId>(owner)) return pending;
  const std::optional<Round> found = find_round(reader, std::get<RoundId>(owner));
  const std::optional<Run> run = found ? find_run(reader, found->run) : std::nullopt;
  if (!run || json_get_or<Json>(run->config.parse(), "canaries", Json::array(), "run").empty()) return pending;
  const Round& round = *found;
  const FrozenRun frozen = frozen_run_of(*run);
  const auto evaluation = find_evaluation(reader, canary_key(frozen, round));
  if (!evaluation) return pending;
  std::vector<PendingJudgment> canaries = list_pending_judgments(reader, evaluation->id, annotator);
  if (canaries.empty()) return pending;
  std::map<SampleId, std::size_t> after;  // of each canary
  const std::vector<CanaryPlace> places = places_of_canaries(frozen, round);
  const std::vector<Sample> samples = canary_samples(reader, evaluation->id);
  for (std::size_t i = 0; i < samples.size(); ++i) after[samples[i].id] = places.at(i).after;
  std::map<ResponseId, std::size_t> ordinal;
  for (const Response& response : list_responses(reader, round.id)) ordinal.emplace(response.id, ordinal.size());

  std::vector<PendingJudgment> mixed;
  auto canary = canaries.begin();
  const auto add_canaries = [&](std::size_t before) {
    for (; canary != canaries.end() && after.at(canary->response.sample) <= before; ++canary)
      mixed.push_back(std::move(*canary));
  };
  for (PendingJudgment& judgment : pending) {
    add_canaries(ordinal.at(judgment.response.id));
    mixed.push_back(std::move(judgment));
  }
  add_canaries(ordinal.size());
  return mixed;
}

}  // namespace cutd
