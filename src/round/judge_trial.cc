#include "round/judge_trial.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/unique_fd.h"

namespace cutd {
namespace {

std::filesystem::path journal_path(const std::filesystem::path& data_dir) { return data_dir / "trials.jsonl"; }

// Lines are whole and synced before append() returns; several processes may append.
class Journal {
 public:
  explicit Journal(const std::filesystem::path& path)
      : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (!file_) throw_errno("cannot open " + path.string());
  }

  void append(const std::string& lines) {
    if (::write(file_.get(), lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) {
      throw_errno("cannot write " + path_.string());
    }
    if (::fdatasync(file_.get()) != 0) throw_errno("cannot sync " + path_.string());
  }

 private:
  const std::filesystem::path path_;
  const UniqueFd file_;
};

// A request's id is its item's index plus one.
class TrialSink final : public JudgeSink {
 public:
  TrialSink(Trial& trial, std::string trial_name, std::string annotator, std::int64_t budget,
            const std::filesystem::path& data_dir, const Clock& clock)
      : trial_(trial),
        name_(std::move(trial_name)),
        annotator_(std::move(annotator)),
        budget_(budget),
        journal_(journal_path(data_dir)),
        clock_(clock) {}

  std::vector<bool> before_send(std::span<const AttemptIntent> intents) override {
    std::vector<bool> admitted;
    std::string lines;
    for (const AttemptIntent& intent : intents) {
      admitted.push_back(bound_ + trial_.spent + intent.reserved_cost <= budget_);
      if (!admitted.back()) continue;
      bound_ += intent.reserved_cost;
      reserved_[intent.id] = intent.reserved_cost;
      ++result(intent.id.request).requests;
      started_.emplace(intent.id.request, clock_.boot_millis());
      lines += line(intent.id, "intent", intent.reserved_cost);
    }
    journal_.append(lines);
    return admitted;
  }

  void after_reply(AttemptId attempt, const RawReply& reply, const std::optional<Usage>& usage) override {
    const std::int64_t reserved = reserved_.extract(attempt).mapped();
    bound_ -= reserved;
    const bool paid = reply.status == 200;
    const std::int64_t cost = !paid ? 0 : usage ? usage->cost : reserved;
    if (usage) {
      result(attempt.request).input_tokens += usage->input_tokens;
      result(attempt.request).output_tokens += usage->output_tokens;
    }
    settle(attempt, paid ? "received" : "failed", cost);
  }

  void after_failure(AttemptId attempt, const AttemptFailure& failure) override {
    const std::int64_t reserved = reserved_.extract(attempt).mapped();
    bound_ -= reserved;
    settle(attempt, failure.charged_perhaps ? "unknown" : "failed", failure.charged_perhaps ? reserved : 0);
  }

  bool may_resend(AttemptId) override { return false; }
  void halted(const std::string& reason) override { trial_.halted = reason; }

  void finished(RequestId request, const JudgeOutcome& outcome) override {
    TrialResult& one = result(request);
    one.outcome = outcome;
    if (const auto started = started_.find(request); started != started_.end()) {
      one.milliseconds = clock_.boot_millis() - started->second;
    }
  }

 private:
  TrialResult& result(RequestId request) { return trial_.results.at(static_cast<std::size_t>(request.value - 1)); }

  void settle(AttemptId attempt, const char* state, std::int64_t cost) {
    trial_.spent += cost;
    result(attempt.request).cost += cost;
    journal_.append(line(attempt, state, cost));
  }

  std::string line(AttemptId attempt, const char* state, std::int64_t amount) const {
    return to_json_text({{"trial", name_},
                         {"annotator", annotator_},
                         {"item", attempt.request.value},
                         {"number", attempt.number},
                         {"state", state},
                         {"amount", amount},
                         {"at", format_utc(clock_.wall_micros())}}) +
           "\n";
  }

  Trial& trial_;
  const std::string name_;
  const std::string annotator_;
  const std::int64_t budget_;
  Journal journal_;
  const Clock& clock_;
  std::int64_t bound_ = 0;
  std::map<AttemptId, std::int64_t> reserved_;
  std::map<RequestId, std::int64_t> started_;
};

}  // namespace

std::vector<TrialItem> built_in_trial_items() {
  const std::string france = "Paris.";
  const std::string australia = "Canberra.";
  const std::string product = "102.";
  const std::string sky = "The air scatters blue light more strongly than red light.";
  const std::string colours = "Red, green and blue.";
  const std::string regrets = "Thank you very much for the invitation; I am sorry that I cannot come.";
  return {
      {"Name the capital of France.", "The capital of France is Paris.", france},
      {"Name the capital of Australia.", "The capital of Australia is Sydney.", australia},
      {"What is 17 times 6?", "17 times 6 is 102.", product},
      {"What is 17 times 6?", "17 times 6 is 112, because 17 times 6 is 10 times 6 plus 7 times 6 plus 10.", product},
      {"Explain in one sentence why the sky is blue.",
       "Air scatters the short, blue waves of sunlight far more than the long, red ones, so blue light reaches us "
       "from all directions.",
       sky},
      {"Explain in one sentence why the sky is blue.", "Sure! The sky. The sky. The sky is blue because it is blue.",
       sky},
      {"List three primary colours of light.", "Red, green and blue.", colours},
      {"List three primary colours of light.", "Red and", colours},
      {"Write a polite sentence declining an invitation to dinner.",
       "Thank you very much for inviting me, but I am afraid I cannot come on Friday.", regrets},
      {"Write a polite sentence declining an invitation to dinner.", "No.", regrets}};
}

std::vector<TrialItem> read_trial_items(const std::filesystem::path& path, std::size_t most) {
  std::vector<TrialItem> items;
  read_json_lines(path, [&](const Json& row, std::size_t number) {
    if (items.size() == most) return;
    const std::string origin = path.string() + ":" + std::to_string(number);
    const char* key = row.is_object() && row.contains("response") ? "response" : "output";
    const auto input = json_get_or<std::string>(row, "input", "", origin);
    const auto instruction = json_get<std::string>(row, "instruction", origin);
    items.push_back({input.empty() ? instruction : instruction + "\n" + input, json_get<std::string>(row, key, origin),
                     json_get_or<std::string>(row, "reference", "", origin)});
  });
  if (items.empty()) throw Error(ErrorCode::kBadInput, path.string() + " holds no item");
  return items;
}

Trial run_trial(Judge& judge, const std::vector<TrialItem>& items, const std::string& annotator, std::int64_t budget,
                const std::filesystem::path& data_dir, const Clock& clock, std::stop_token stop) {
  Trial trial;
  trial.results.resize(items.size());
  const std::string name = format_utc(clock.wall_micros()) + "/" + std::to_string(::getpid());
  TrialSink sink(trial, name, annotator, budget, data_dir, clock);
  for (std::size_t i = 0; i < items.size(); ++i) {
    judge.submit({RequestId{static_cast<std::int64_t>(i) + 1}, items[i].instruction, items[i].response, true,
                  items[i].reference});
  }
  judge.run(stop, sink);
  return trial;
}

TrialSpending trial_spending(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = journal_path(data_dir);
  TrialSpending sum;
  if (!std::filesystem::exists(path)) return sum;
  std::map<std::string, std::int64_t> open;  // reservations without an end: killed between the two
  read_json_lines(path, [&](const Json& row, std::size_t number) {
    const std::string origin = path.string() + ":" + std::to_string(number);
    const auto state = json_get<std::string>(row, "state", origin);
    const auto amount = json_get<std::int64_t>(row, "amount", origin);
    const std::string key = json_get<std::string>(row, "trial", origin) + "/" +
                            std::to_string(json_get<std::int64_t>(row, "item", origin)) + "/" +
                            std::to_string(json_get<std::int64_t>(row, "number", origin));
    if (state == "intent") {
      ++sum.requests;
      open[key] = amount;
      return;
    }
    open.erase(key);
    sum.spent += amount;
    if (state == "unknown") sum.unknown += amount;
  });
  for (const auto& [key, amount] : open) {
    sum.spent += amount;
    sum.unknown += amount;
  }
  return sum;
}

}  // namespace cutd
