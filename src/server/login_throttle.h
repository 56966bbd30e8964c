// How often a wrong password or link may be tried: attempts within a minute, by address and by name.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace cutd {

// Thread-safe. Times are boot-clock milliseconds. Names come in no longer than an account's: what is kept is bounded
// by the number of keys alone.
class LoginThrottle {
 public:
  // Counts an attempt as failed before it is checked, so that attempts in parallel do not pass together. False: too
  // many of late; this one is not counted. An empty `name` (a login link) counts by address alone.
  bool begin(const std::string& address, const std::string& name, std::int64_t now_ms);
  // The attempt that began was right, or was not checked after all: it counts no more.
  void take_back(const std::string& address, const std::string& name);

 private:
  static constexpr std::int64_t kWindowMs = 60'000;
  static constexpr std::size_t kPerAddress = 30;
  static constexpr std::size_t kPerName = 30;  // from everywhere
  static constexpr std::size_t kPerNameAtAddress = 5;
  static constexpr std::size_t kMostKeys = 10'000;

  struct Limit {
    std::string key;
    std::size_t most = 0;
  };
  static std::vector<Limit> limits_of(const std::string& address, const std::string& name);

  std::size_t recent(const std::string& key, std::int64_t now_ms);
  void make_room(std::int64_t now_ms);

  std::mutex mutex_;
  std::map<std::string, std::deque<std::int64_t>> attempts_;  // guarded by mutex_
};

}  // namespace cutd
