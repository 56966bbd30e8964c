#include "round/round_fixture.h"

#include <fmt/format.h>

#include <fstream>

#include "core/files.h"
#include "core/hash.h"
#include "round/adapter_files.h"
#include "round/run_start.h"
#include "support/scripted_text.h"
#include "weights/weights_support.h"

namespace cutd {

std::filesystem::path fast_folder() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

std::string instruction_lines(const std::vector<std::string>& texts) {
  std::string lines;
  for (const std::string& text : texts) lines += Json{{"instruction", text}}.dump() + "\n";
  return lines;
}

RunFiles::RunFiles(const std::filesystem::path& folder) : model(folder / "model") {
  const auto explain = [](std::vector<std::string> nouns) {
    for (std::string& noun : nouns) noun = "Explain what a " + noun + " is used for.";
    return instruction_lines(nouns);
  };
  files["train.jsonl"] = explain({"hammer", "river", "violin", "compass", "garden", "bridge", "candle", "mirror",
                                  "ladder", "window", "kettle", "anchor"});
  files["gate.jsonl"] = explain({"basket", "needle", "lantern", "saddle"});
  files["report.jsonl"] = explain({"shovel", "whistle", "blanket"});
  std::filesystem::create_directories(model);
  std::ofstream(model / "config.json") << model_config_to_json(tiny_config()).dump();
  write_raw(model / "model.safetensors",
            safetensors_bytes(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", std::string(4, '\0')));
}

FileReader RunFiles::reader() const {
  return [files = files](const std::string& name) {
    const auto found = files.find(name);
    if (found == files.end()) throw Error(ErrorCode::kNotFound, "no file " + name);
    return found->second;
  };
}

RunConfig RunFiles::config(const Json& changes) const {
  Json values = parse_json(R"({
    "name": "tiny",
    "data": {"train": "train.jsonl", "gate": "gate.jsonl", "report": "report.jsonl", "instructions_per_round": 4, "min_training_examples": 2},
    "generation": {"max_new_tokens": 64, "unit_prompts": 3},
    "lora": {"r": 2, "alpha": 2},
    "evaluation": {"margin": 1, "bootstrap_resamples": 100,
                   "guards": {"mean_words_low": 0, "mean_words_high": 100, "distinct_2_low": 0, "distinct_2_high": 100,
                              "perplexity_low": 0, "perplexity_high": 100}},
    "run": {"rounds": 2, "min_free_disk_mb": 1}
  })",
                           "test");
  values["model"] = model.string();
  values.merge_patch(changes);
  return parse_run_config(values, "tiny.yaml");
}

OneDaemon::OneDaemon(const std::filesystem::path& data_dir, Engine& engine, const Clock& clock, Logger& log)
    : store(data_dir, clock, log),
      board(clock),
      runner(store, engine, board,
             {scripted_text, std::chrono::milliseconds(10'000), [this](const auto&) { return free_disk; }}, clock, log),
      clock_(clock),
      log_(log) {
  sweep_data_folder(store, log);
  recover_attempts(store, log);
}

StepResult OneDaemon::step(RunId run, std::stop_token stop) { return runner.step(run, stop); }

RunState OneDaemon::work(RunId id, const std::function<bool()>& until) {
  for (int i = 0; i < 2000; ++i) {
    if (run(id).state != RunState::kActive || (until && until())) return run(id).state;
    const StepResult result = step(id);
    const std::int64_t judged = judge();
    if (result != StepResult::kWorked && judged == 0) {
      ADD_FAILURE() << "run " << id.value << " stands still in " << name_of(phase(id)) << ": " << round(id).reason;
      return run(id).state;
    }
  }
  ADD_FAILURE() << "run " << id.value << " never ends";
  return run(id).state;
}

Phase OneDaemon::phase(RunId run) {
  const auto rounds = read([&](Reader& reader) { return list_rounds(reader, run); });
  return rounds.empty() ? Phase::kCreated : rounds.back().phase;
}

Round OneDaemon::round(RunId run, std::int64_t number) {
  const auto rounds = read([&](Reader& reader) { return list_rounds(reader, run); });
  if (rounds.empty()) return {};
  return number == 0 ? rounds.back() : rounds.at(static_cast<std::size_t>(number - 1));
}

Run OneDaemon::run(RunId id) {
  return read([&](Reader& reader) { return find_run(reader, id); }).value();
}

std::vector<std::string> OneDaemon::check() {
  return read([&](Reader& reader) { return check_store(reader, store.data_dir()); });
}

RunOutcome OneDaemon::outcome(RunId id) {
  return read([&](Reader& reader) {
    RunOutcome outcome;
    std::map<AdapterId, std::string> hashes;
    for (const Adapter& adapter : list_adapters(reader, id)) {
      hashes[adapter.id] = adapter.hash;
      if (adapter.state == AdapterState::kVerified)
        outcome.adapters.push_back(fmt::format("{} {} {}", name_of(adapter.kind), adapter.path,
                                               hash_directory(store.data_dir() / adapter.path) == adapter.folder_hash));
    }
    for (const Round& round : list_rounds(reader, id)) {
      outcome.rounds.push_back(fmt::format("{} {} from {}", round.number,
                                           round.outcome ? name_of(*round.outcome) : name_of(round.phase),
                                           round.parent ? hashes[*round.parent] : "the base"));
      if (const auto manifest = find_manifest(reader, round.id)) outcome.manifests.push_back(manifest->sha256);
      for (const Response& response : list_responses(reader, round.id))
        outcome.responses.push_back(fmt::format("{} {}", response.seed, response.hash));
    }
    for (const Evaluation& evaluation : list_evaluations(reader)) {
      outcome.scores.push_back(evaluation.key.model_hash + evaluation.summary.dump());
    }
    const auto serving = serving_adapter(reader, id);
    outcome.run =
        fmt::format("{} serving {}", name_of(find_run(reader, id)->state), serving ? hashes[*serving] : "the base");
    return outcome;
  });
}

void RoundTest::reopen() {
  daemon_.reset();
  open();
}

RunId RoundTest::start(const Json& changes) {
  return start_run(daemon().store, files_.config(changes), files_.reader(), scripted_text, log_);
}

void RoundTest::work_to(RunId run, Phase phase) {
  work(run, [&] {
    return !daemon().read([&](Reader& reader) { return list_rounds(reader, run); }).empty() &&
           daemon().phase(run) == phase;
  });
  ASSERT_EQ(daemon().phase(run), phase);
}

const RunOutcome& undisturbed() {
  static const RunOutcome outcome = [] {
    const TemporaryDirectory folder(fast_folder());
    const RunFiles files(folder.path());
    const HandClock clock;
    NullLogger log;
    ScriptedEngine engine;
    OneDaemon daemon(folder / "data", engine, clock, log);
    const RunId run = start_run(daemon.store, files.config(), files.reader(), scripted_text, log);
    EXPECT_EQ(daemon.work(run), RunState::kCompleted);
    return daemon.outcome(run);
  }();
  return outcome;
}

}  // namespace cutd
