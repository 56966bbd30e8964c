#include "round/judge_troubles.h"

#include <fmt/format.h>

#include <utility>

#include "core/clock.h"

namespace cutd {

std::string trouble_text(const std::string& annotator, const JudgeHealth& health, std::int64_t waiting) {
  return fmt::format("judge {} does not answer: {}; trying again every {} s; {} item{} wait{}", annotator,
                     health.message, health.try_every_ms / 1000, waiting, waiting == 1 ? "" : "s",
                     waiting == 1 ? "s" : "");
}

Json judge_troubles_json(const std::vector<JudgeTrouble>& troubles) {
  Json list = Json::array();
  for (const JudgeTrouble& one : troubles)
    list.push_back({{"annotator", one.annotator}, {"text", one.text}, {"since", format_utc(one.since)}});
  return list;
}

void JudgeTroubles::set(JudgeTrouble trouble) {
  const std::lock_guard lock(mutex_);
  const AnnotatorId id = trouble.id;
  troubles_.insert_or_assign(id, std::move(trouble));
}

void JudgeTroubles::clear(AnnotatorId annotator) {
  const std::lock_guard lock(mutex_);
  troubles_.erase(annotator);
}

std::vector<JudgeTrouble> JudgeTroubles::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<JudgeTrouble> all;
  for (const auto& [id, trouble] : troubles_) all.push_back(trouble);
  return all;
}

}  // namespace cutd
