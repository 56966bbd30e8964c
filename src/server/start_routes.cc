// Starting a run: POST runs; POST runs/plan says beforehand what it would ask for and what is wrong with it.
#include <algorithm>
#include <thread>

#include "core/yaml.h"
#include "round/canaries.h"
#include "round/instruction_sets.h"
#include "round/people.h"
#include "round/run_files.h"
#include "round/run_plan.h"
#include "round/run_start.h"
#include "server/route_arguments.h"
#include "server/routes.h"

namespace cutd {
namespace {

std::vector<ConfigOverride> overrides_of(const Json& body) {
  std::vector<ConfigOverride> overrides;
  for (const Json& row : json_get_or<Json>(body, "overrides", Json::array(), kRequestBody)) {
    overrides.push_back(
        {json_get<std::string>(row, "key", "overrides"), json_get<std::string>(row, "text", "overrides")});
  }
  return overrides;
}

// The files that came with the request.
FileReader files_of(const Json& files) {
  if (!files.is_object()) throw Error(ErrorCode::kBadInput, "request body: key \"files\" must be an object");
  return [files](const std::string& name) {
    if (!files.contains(name)) {
      throw Error(ErrorCode::kBadInput, "request body: key \"files\" has no \"" + name + "\"");
    }
    return json_get<std::string>(files, name.c_str(), "files");
  };
}

// Files are named by path only by the daemon's own user, who could read them anyway.
FileReader files_for(const Request& request, const Json& body) {
  if (body.contains("files")) return files_of(body.at("files"));
  const std::filesystem::path folder = json_get<std::string>(body, "folder", kRequestBody);
  if (!request.local) {
    throw Error(ErrorCode::kUsage, "request body: \"folder\" is for the Unix socket only; send \"files\"");
  }
  if (!folder.is_absolute()) throw Error(ErrorCode::kBadInput, "request body: key \"folder\" must be an absolute path");
  return files_beside(folder);
}

// The configuration, as JSON or as the text of its YAML file: mistakes in that are named by line.
RunConfig config_of(const Json& body) {
  require_keys(body, {"config", "text", "origin", "folder", "files", "overrides"});
  if (body.contains("config") == body.contains("text"))
    throw Error(ErrorCode::kBadInput, "request body: give either \"config\" or \"text\"");
  const auto origin = json_get_or<std::string>(body, "origin", kRequestBody, kRequestBody);
  const Json config = body.contains("text") ? parse_yaml(json_get<std::string>(body, "text", kRequestBody), origin)
                                            : json_get<Json>(body, "config", kRequestBody);
  return parse_run_config(config, origin, overrides_of(body));
}

// {"config": {…} or "text": YAML, "origin": "demo.yaml", "folder": where its relative file names start, or
// "files": {name: content}, "overrides": [{key, text}]}
Reply start_run(const DaemonContext& context, const Request& request) {
  const Json body = json_body(request);
  const RunConfig config = config_of(body);
  const RunId run = context.runs.start(config, files_for(request, body));
  return json_reply({{"id", run.value}}, 201);
}

PlanAssumptions assumptions_here(const RunConfig& config) {
  PlanAssumptions assumed;
  assumed.cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  assumed.gpu = config.device.starts_with("cuda") ||
                (config.device == "auto" && std::filesystem::exists("/proc/driver/nvidia/version"));
  return assumed;
}

// Reads whatever a start would read. Throws as it would.
Json checked_plan(const RunConfig& config, const ModelConfig& model, const FileReader& files) {
  const RunConfig guided = with_guidelines(config, files);
  for (const AnnotatorConfig& annotator : guided.annotators) read_gold(annotator, files);
  if (!config.alarms.canaries.empty()) parse_canaries(files(config.alarms.canaries), config.alarms.canaries);
  const InstructionSets sets = read_instruction_sets(config.data, files);
  return run_plan_json(plan_run(config, model, sets, assumptions_here(config)));
}

// As start_run(), and nothing is stored or asked. A file that did not come is no mistake yet: it is listed, and the
// plan is null.
Reply plan_of(const DaemonContext& context, const Request& request) {
  const Json body = json_body(request);
  const RunConfig config = config_of(body);
  const ModelConfig model = read_model_config(find_model(config.model, context.store.data_dir()));
  const bool sent = body.contains("files") || !body.contains("folder");
  const Json given = json_get_or<Json>(body, "files", Json::object(), kRequestBody);
  bool complete = true;
  Json files = Json::array();
  for (const RunFile& file : list_run_files(config)) {
    const bool there = !sent || (given.is_object() && given.contains(file.name));
    complete = complete && there;
    files.push_back({{"key", file.key}, {"name", file.name}, {"given", there}});
  }
  const FileReader reader = sent ? files_of(given) : files_for(request, body);
  return json_reply({{"name", config.name},
                     {"files", std::move(files)},
                     {"plan", complete ? checked_plan(config, model, reader) : Json()}});
}

}  // namespace

void add_start_routes(Router& router, const DaemonContext& context) {
  router.add("POST", "/api/v1/runs", Access::kOperator,
             [context](const Request& request) { return start_run(context, request); });
  router.add("POST", "/api/v1/runs/plan", Access::kOperator,
             [context](const Request& request) { return plan_of(context, request); });
}

}  // namespace cutd
