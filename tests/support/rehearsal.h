// A store, an engine without a model and a RunService around them: whole runs in one process and in a second or two.
#pragma once

#include <fstream>
#include <string>

#include "core/yaml.h"
#include "round/run_service.h"
#include "store/store.h"
#include "support/rehearsal_model.h"
#include "support/temporary_directory.h"

namespace cutd {

// Instructions and a configuration beside a model that needs no engine. Kept for the whole test.
class RehearsalFiles {
 public:
  RehearsalFiles() {
    make_rehearsal_model(folder_ / "model");
    write_instructions("train.jsonl", "Explain what a ", " is used for.", kTrainNouns);
    write_instructions("gate.jsonl", "Describe the use of one ", ".", kGateNouns);
    write_instructions("report.jsonl", "Say why people like a ", ".", kReportNouns);
  }

  // `more`: YAML lines added to the configuration.
  RunConfig config(const std::string& more = "") const {
    const std::string text = "name: tiny\nmodel: " + (folder_ / "model").string() +
                             "\ntemplate: {name: chat, system: Answer briefly.}\n"
                             "data: {train: train.jsonl, gate: gate.jsonl, report: report.jsonl, "
                             "instructions_per_round: 6, min_training_examples: 2}\n"
                             "generation: {max_new_tokens: 64, unit_prompts: 4, max_batch: 4}\n"
                             "lora: {r: 2, alpha: 2, dropout: 0}\ntrain: {gradient_accumulation_steps: 2}\n"
                             "evaluation: {margin: 1, bootstrap_resamples: 200, guards: {mean_words_low: 0, "
                             "mean_words_high: 1000, distinct_2_low: 0, "
                             "distinct_2_high: 1000, perplexity_low: 0, perplexity_high: 1000}}\n"
                             "run: {rounds: 2, min_free_disk_mb: 0}\n" +
                             more;
    return parse_run_config(parse_yaml(text, "tiny.yaml"), "tiny.yaml");
  }
  FileReader files() const { return files_beside(folder_.path()); }
  std::filesystem::path data_dir() const { return folder_ / "data"; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return folder_ / name; }

 private:
  static constexpr const char* kTrainNouns =
      "hammer river violin compass garden bridge candle mirror ladder window kettle anchor basket needle lantern "
      "saddle";
  static constexpr const char* kGateNouns = "shovel whistle blanket carpet drum engine feather glove";
  static constexpr const char* kReportNouns = "helmet island jacket kite lamp map";

  void write_instructions(const std::string& name, const std::string& before, const std::string& after,
                          const std::string& nouns) const {
    std::ofstream file(folder_ / name);
    for (std::size_t start = 0; start < nouns.size();) {
      const std::size_t end = std::min(nouns.find(' ', start), nouns.size());
      file << to_json_text({{"instruction", before + nouns.substr(start, end - start) + after}}) << "\n";
      start = end + 1;
    }
  }

  const TemporaryDirectory folder_;
};

// A daemon's inside, on `data_dir`.
class Rehearsal {
 public:
  explicit Rehearsal(const std::filesystem::path& data_dir)
      : store_(data_dir, clock_, logger_), runs_(store_, engine_, {}, clock_, logger_) {}

  Store& store() { return store_; }
  RunService& runs() { return runs_; }
  // Begins and waits for the run's end; its state.
  RunState finish(RunId run) {
    runs_.begin();
    const RunState state = runs_.wait(run, {}, {});
    runs_.stop();
    return state;
  }

 private:
  SystemClock clock_;
  NullLogger logger_;
  RehearsalEngine engine_;
  Store store_;
  RunService runs_;
};

}  // namespace cutd
