#include "round/frozen_run.h"

#include "core/error.h"
#include "core/hash.h"

namespace cutd {
namespace {

Json ids_json(const std::vector<InstructionId>& ids) {
  Json list = Json::array();
  for (const InstructionId id : ids) list.push_back(id.value);
  return list;
}

std::vector<InstructionId> ids_of(const Json& list) {
  std::vector<InstructionId> ids;
  for (const Json& id : list) ids.push_back(InstructionId{id.get<std::int64_t>()});
  return ids;
}

Json canaries_json(const std::vector<Canary>& canaries) {
  Json list = Json::array();
  for (const Canary& canary : canaries) {
    list.push_back({{"instruction", canary.instruction.value},
                    {"response", canary.response},
                    {"perfect", canary.perfect},
                    {"attack", canary.attack}});
  }
  return list;
}

std::vector<Canary> canaries_of(const Json& list, const std::string& origin) {
  std::vector<Canary> canaries;
  for (const Json& row : list) {
    canaries.push_back({InstructionId{json_get<std::int64_t>(row, "instruction", origin)},
                        json_get<std::string>(row, "response", origin), json_get<bool>(row, "perfect", origin),
                        json_get<bool>(row, "attack", origin)});
  }
  return canaries;
}

std::optional<CycleOrigin> cycle_of(const Json& config, const std::string& origin) {
  if (!config.contains("cycle")) return std::nullopt;
  const Json& cycle = config.at("cycle");
  return CycleOrigin{json_get<std::string>(cycle, "schedule", origin), json_get<std::int64_t>(cycle, "due", origin)};
}

std::string origin_of(const Run& run) { return "run " + std::to_string(run.id.value); }

}  // namespace

std::optional<CycleOrigin> cycle_origin(const Run& run) { return cycle_of(run.config.parse(), origin_of(run)); }

Json frozen_run_json(const FrozenRun& frozen) {
  Json json = {{"config", run_config_json(frozen.config)},
               {"model_dir", frozen.model_dir},
               {"template_version", frozen.template_version},
               {"annotator", frozen.annotator.value},
               {"gate", ids_json(frozen.gate)},
               {"gate_hash", frozen.gate_hash},
               {"report", ids_json(frozen.report)},
               {"report_hash", frozen.report_hash},
               {"canaries", canaries_json(frozen.canaries)}};
  if (frozen.cycle) json["cycle"] = {{"schedule", frozen.cycle->schedule}, {"due", frozen.cycle->due}};
  return json;
}

FrozenRun frozen_run_of(const Run& run) {
  const std::string origin = origin_of(run);
  const Json stored = run.config.parse();
  FrozenRun frozen;
  frozen.config = parse_run_config(json_get<Json>(stored, "config", origin), origin);
  frozen.model_dir = json_get<std::string>(stored, "model_dir", origin);
  frozen.base_hash = run.base_model_hash;
  frozen.template_version = json_get<std::string>(stored, "template_version", origin);
  frozen.annotator = frozen_annotator(run);
  frozen.gate = ids_of(json_get<Json>(stored, "gate", origin));
  frozen.gate_hash = json_get<std::string>(stored, "gate_hash", origin);
  frozen.report = ids_of(json_get<Json>(stored, "report", origin));
  frozen.report_hash = json_get<std::string>(stored, "report_hash", origin);
  frozen.canaries = canaries_of(json_get_or<Json>(stored, "canaries", Json::array(), origin), origin);
  frozen.cycle = cycle_of(stored, origin);
  frozen.start = run.start;
  return frozen;
}

AnnotatorId frozen_annotator(const Run& run) {
  if (run.annotator.value == 0) throw_json_member(origin_of(run), "annotator", "is missing");
  return run.annotator;
}

ModelReference model_reference(const FrozenRun& frozen, const std::optional<Adapter>& adapter,
                               const std::string& data_dir) {
  ModelReference model;
  model.spec = {frozen.model_dir, "", frozen.config.dtype, frozen.config.device, frozen.config.threads};
  model.hash = frozen.base_hash;
  if (!adapter) return model;
  if (adapter->state != AdapterState::kVerified) {
    throw Error(ErrorCode::kBadInput, "adapter " + adapter->path + " is quarantined: " + adapter->reason);
  }
  model.spec.adapter_dir = (std::filesystem::path(data_dir) / adapter->path).string();
  model.hash = sha256_hex(frozen.base_hash + "\n" + adapter->hash);
  model.is_base = false;
  model.adapter = adapter;
  return model;
}

std::string decoding_hash(const FrozenRun& frozen) {
  Json identity = generation_config_json(frozen.config.generation);
  identity["template"] = frozen.template_version;
  identity["dtype"] = frozen.config.dtype;
  return sha256_hex(to_json_text(identity));
}

}  // namespace cutd
