// How often a wrong password or link may be tried: counted failures within a minute, by address and by name.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace cutd {

// Thread-safe. Times are boot-clock milliseconds.
class LoginThrottle {
 public:
  // False: too many failures of late. An empty `name` (a login link) counts by address alone.
  bool admits(const std::string& address, const std::string& name, std::int64_t now_ms);
  void failed(const std::string& address, const std::string& name, std::int64_t now_ms);

 private:
  static constexpr std::int64_t kWindowMs = 60'000;
  static constexpr std::size_t kPerAddress = 30;
  static constexpr std::size_t kPerName = 30;  // from everywhere
  static constexpr std::size_t kPerNameAtAddress = 5;
  static constexpr std::size_t kMostKeys = 10'000;

  std::size_t recent(const std::string& key, std::int64_t now_ms);

  std::mutex mutex_;
  std::map<std::string, std::deque<std::int64_t>> failures_;  // guarded by mutex_
};

}  // namespace cutd
