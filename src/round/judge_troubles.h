// Which judges do not answer just now, for the operator. Display only: no decision reads it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/domain.h"
#include "core/json.h"
#include "judge_client/judge.h"

namespace cutd {

struct JudgeTrouble {
  AnnotatorId id;
  std::string annotator;
  std::string text;        // what happens, why, and what to do
  std::int64_t since = 0;  // wall-clock microseconds
};

// "judge critic does not answer: could not resolve host: x: check the host in the base URL; trying again every 60 s; 37
// items wait"
std::string trouble_text(const std::string& annotator, const JudgeHealth& health, std::int64_t waiting);

// [{"annotator", "text", "since"}]
Json judge_troubles_json(const std::vector<JudgeTrouble>& troubles);

// Thread-safe.
class JudgeTroubles {
 public:
  void set(JudgeTrouble trouble);
  void clear(AnnotatorId annotator);
  std::vector<JudgeTrouble> list() const;  // by annotator

 private:
  mutable std::mutex mutex_;
  std::map<AnnotatorId, JudgeTrouble> troubles_;  // guarded by mutex_
};

}  // namespace cutd
