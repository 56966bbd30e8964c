// What was asked of a provider and what came of it, as JSON Lines beside the annotations. The line of an attempt is on
// disk before a byte is sent, the reply before it is read: whatever happens, no pair is paid for twice, and what was
// charged is known. The annotations file can be made from it at any time without asking again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/unique_fd.h"
#include "llm_api/http.h"

namespace cutd {

struct JournalAttempt {
  std::string key;  // of the pair
  std::int64_t number = 1;
  std::int64_t reserved = 0;  // micro-dollars: the most it can cost
};

struct JournalState {
  std::int64_t attempts = 0;
  bool open = false;               // the last one has no outcome: it may have been charged
  std::optional<HttpReply> reply;  // the last whole reply of status 200
  std::int64_t reply_cost = 0;     // micro-dollars
  std::string failure;             // of the last one that failed
};

// One thread. Two processes on one file: the second gets Error(kBusy).
class PairJournal {
 public:
  // Reads what is there; a torn last line, which a crash leaves, is cut off. Error(kBadInput) naming file and line.
  explicit PairJournal(const std::filesystem::path& path);

  const JournalState& state(const std::string& key) const;
  std::int64_t spent() const { return spent_; }  // micro-dollars; attempts without an outcome at what they reserved

  void begin(const std::vector<JournalAttempt>& attempts);  // returns once durable
  void settle(const std::string& key, std::int64_t number, std::int64_t cost, const HttpReply& reply);
  // `charged`: nobody knows whether it was; it stays open and its reservation spent.
  void fail(const std::string& key, std::int64_t number, bool charged, const std::string& reason);

 private:
  struct Row {
    std::int64_t reserved = 0;
    bool settled = false;
  };
  void apply(const Json& line, const std::string& origin);
  void append(const std::vector<Json>& lines);

  std::filesystem::path path_;
  UniqueFd file_;
  std::map<std::string, JournalState> states_;
  std::map<std::pair<std::string, std::int64_t>, Row> rows_;
  std::int64_t spent_ = 0;
};

}  // namespace cutd
