// People as annotators: what of the configuration becomes queues and gold items, and what time does to them. Beside the
// judges that work by themselves (round/judging.h): these tend, people judge.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "evaluation/agreement.h"
#include "judge_client/human_annotator.h"
#include "round/instruction_sets.h"
#include "round/run_config.h"
#include "store/queue.h"

namespace cutd {

// The configuration with the guidelines of its human annotators read from their files. Throws Error(kUsage, kNotFound)
// naming the key or file.
RunConfig with_guidelines(const RunConfig& config, const FileReader& files);

// The gold items of one human annotator, {"instruction", "input"?, "response", "label", "suggestion"?: {"label",
// "text"}} a line, at least kLeastGold of them; none when it names no file. Where people see suggestions every gold
// item must have one, or its lack would tell it from the others. Throws Error(kBadInput) naming file and line.
std::vector<GoldItem> read_gold(const AnnotatorConfig& annotator, const FileReader& files);
constexpr std::size_t kLeastGold = 30;

// How the queue of an annotator of kind human gives out its items.
QueueSettings queue_settings(const Annotator& annotator);

// One pass: pending judgments of people are put into queues, what time has ended ends. Returns how many items were
// added; `say` is told of each queue that waits for people for the first time. Writes only when there is something to.
std::int64_t tend_queues(Store& store, std::int64_t now_ms, const std::function<void(const std::string&)>& say);

// How far the people of a queue agree, so far or in the end.
struct QueueAgreement {
  std::optional<double> alpha;  // Krippendorff's; nothing with an overlap of 1
  std::int64_t items = 0;       // with two judgments or more
  // Too little, measured on enough: the guidelines leave too much open, or somebody does not read them.
  bool low() const { return alpha && *alpha < kLowAlpha && items >= kLeastItems; }
  static constexpr double kLowAlpha = 0.667;
  static constexpr std::int64_t kLeastItems = 20;
};
QueueAgreement queue_agreement(Reader& reader, const Queue& queue);  // reads every vote

}  // namespace cutd
