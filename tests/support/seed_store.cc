// seed_store DATA JUDGMENTS: fills a data folder with finished runs of ten rounds of a thousand judged responses each,
// beside a model that the real engine can load. For bench/bench_store.py and tests/clients/test_http_api.py.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/yaml.h"
#include "judge_client/annotator.h"
#include "round/frozen_run.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/store.h"
#include "store/units.h"
#include "support/rehearsal_model.h"

namespace cutd {
namespace {

constexpr std::int64_t kRoundsOfRun = 10;
constexpr std::int64_t kResponsesOfRound = 1000;
const std::vector<std::string> kWords = {"apple", "river",  "candle", "mirror", "garden", "bridge", "window", "ladder",
                                         "drum",  "kettle", "anchor", "basket", "needle", "saddle", "island", "helmet"};

std::string sentence(std::uint64_t seed, std::size_t words) {
  std::string text = "The";
  for (std::size_t i = 0; i < words; ++i) {
    text += " " + kWords[philox({static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(i), 0, 0}, {7, 7})[0] %
                         kWords.size()];
  }
  return text + ".";
}

class Seeder {
 public:
  Seeder(const std::filesystem::path& data_dir, std::int64_t judgments)
      : store_(data_dir, clock_, logger_), model_(data_dir / "models" / "tiny"), wanted_(judgments) {
    if (!std::filesystem::exists(model_)) make_rehearsal_model(model_);
    const RunConfig config = run_config();
    annotator_ = store_.write([&](Writer& writer) {
      return ensure_annotator(writer, {"editor", annotator_version(config.annotator()), "rule", Json::object()});
    });
    import();
  }

  void fill() {
    while (made_ < wanted_) {
      const RunId run = new_run();
      for (std::int64_t round = 0; round < kRoundsOfRun && made_ < wanted_; ++round) add_round(run);
      store_.write([&](Writer& writer) {
        move_run(writer, run, RunState::kActive, RunState::kCompleted, "all rounds are done");
      });
    }
  }

 private:
  RunConfig run_config() const {
    return parse_run_config(parse_yaml("name: seeded\nmodel: tiny\ndevice: cpu\ntemplate: {name: chat}\n"
                                       "data: {train: train.jsonl, gate: gate.jsonl, report: report.jsonl, "
                                       "instructions_per_round: 1000}\nrun: {rounds: 10}\n",
                                       "seed"),
                            "seed");
  }

  void import() {
    std::vector<NewInstruction> rows;
    for (std::int64_t i = 0; i < kResponsesOfRound; ++i) {
      rows.push_back({"Describe number " + std::to_string(i) + ": " + sentence(static_cast<std::uint64_t>(i), 6), ""});
    }
    store_.write([&](Writer& writer) { import_instructions(writer, rows, Split::kTrain, "seed"); });
    instructions_ = store_.read([](Reader& reader) {
      return reader.database().all("SELECT id FROM instruction WHERE split = 'train' ORDER BY id",
                                   [](Statement& row) { return InstructionId{row.integer(0)}; });
    });
  }

  RunId new_run() {
    FrozenRun frozen;
    frozen.config = run_config();
    frozen.model_dir = model_.string();
    frozen.base_hash = std::string(64, 'b');
    frozen.template_version = "chat/seed";
    frozen.annotator = annotator_;
    frozen.gate_hash = frozen.report_hash = std::string(64, 'c');
    return store_.write([&](Writer& writer) {
      return create_run(writer, {.config = frozen_run_json(frozen),
                                 .base_model_hash = frozen.base_hash,
                                 .round_count = kRoundsOfRun,
                                 .patience = 0,
                                 .train = {}});
    });
  }

  void add_round(RunId run) {
    const std::int64_t count = std::min(kResponsesOfRound, wanted_ - made_);
    const RoundId round = store_.write([&](Writer& writer) {
      const RoundId id = create_round(writer, {.run = run, .parent = std::nullopt, .config = Json::object()});
      NewUnit unit;
      for (std::int64_t i = 0; i < count; ++i) {
        unit.push_back({.instruction = instructions_[static_cast<std::size_t>(i)], .seed = i, .prompt_ids = {5, 6, 7}});
      }
      const std::vector<UnitId> units = plan_units(writer, id, Split::kTrain, {&unit, 1});
      advance_round(writer, id, Phase::kCreated, Phase::kGenerating, "planned");
      commit_unit(writer, units.front(), responses(count));
      request_judgments(writer, id, annotator_);
      return id;
    });
    store_.write([&](Writer& writer) { judge(writer, round); });
    made_ += count;
    if (made_ % 10'000 == 0) std::fprintf(stderr, "%lld judgments\n", static_cast<long long>(made_));
  }

  std::vector<NewResponse> responses(std::int64_t count) const {
    std::vector<NewResponse> rows;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto seed = static_cast<std::uint64_t>(made_ + i);
      std::vector<std::int64_t> ids;
      for (std::int64_t t = 0; t < 20; ++t) ids.push_back(40 + (made_ + i + 7 * t) % 200);
      rows.push_back({ids, sentence(seed, 10 + seed % 20), "stop", std::string(64, 'd'), "chat/seed", -12.5});
    }
    return rows;
  }

  // Three of four are criticised; every fiftieth could not be judged.
  void judge(Writer& writer, RoundId round) {
    std::int64_t number = 0;
    for (const PendingJudgment& pending : list_pending_judgments(writer, round, annotator_)) {
      ++number;
      if (number % 50 == 0) {
        fail_judgment(writer, pending.id, "unusable: the reply was empty");
      } else if (number % 4 == 0) {
        settle_judgment(writer, pending.id, {JudgmentLabel::kPositive, "Perfect.", "Perfect."});
      } else {
        const std::string text = "Too long: " + sentence(static_cast<std::uint64_t>(number), 8);
        settle_judgment(writer, pending.id, {JudgmentLabel::kNegative, text, text});
      }
    }
    advance_round(writer, round, Phase::kGenerating, Phase::kJudging, "all units are done");
    advance_round(writer, round, Phase::kJudging, Phase::kTraining, "all responses are judged");
    advance_round(writer, round, Phase::kTraining, Phase::kEvaluating, "trained");
    reject_round(writer, round, "the difference is not surely above the margin");
  }

  SystemClock clock_;
  NullLogger logger_;
  Store store_;
  const std::filesystem::path model_;
  const std::int64_t wanted_;
  std::int64_t made_ = 0;
  AnnotatorId annotator_;
  std::vector<InstructionId> instructions_;
};

}  // namespace
}  // namespace cutd

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: seed_store DATA JUDGMENTS\n");
    return 2;
  }
  cutd::Seeder(std::filesystem::absolute(argv[1]), std::stoll(argv[2])).fill();
  return 0;
}
