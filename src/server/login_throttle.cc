#include "server/login_throttle.h"

#include <algorithm>

namespace cutd {

std::vector<LoginThrottle::Limit> LoginThrottle::limits_of(const std::string& address, const std::string& name) {
  std::vector<Limit> limits = {{"address\n" + address, kPerAddress}};
  if (name.empty()) return limits;
  limits.push_back({"name\n" + name, kPerName});
  limits.push_back({"pair\n" + address + "\n" + name, kPerNameAtAddress});
  return limits;
}

std::size_t LoginThrottle::recent(const std::string& key, std::int64_t now_ms) {
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) return 0;
  while (!found->second.empty() && found->second.front() <= now_ms - kWindowMs) found->second.pop_front();
  const std::size_t count = found->second.size();
  if (count == 0) attempts_.erase(found);
  return count;
}

void LoginThrottle::make_room(std::int64_t now_ms) {
  if (attempts_.size() < kMostKeys) return;
  std::erase_if(attempts_,
                [&](const auto& entry) { return entry.second.empty() || entry.second.back() <= now_ms - kWindowMs; });
  if (attempts_.size() >= kMostKeys) attempts_.clear();
}

bool LoginThrottle::begin(const std::string& address, const std::string& name, std::int64_t now_ms) {
  const std::vector<Limit> limits = limits_of(address, name);
  const std::scoped_lock lock(mutex_);
  const bool admitted = std::all_of(limits.begin(), limits.end(),
                                    [&](const Limit& limit) { return recent(limit.key, now_ms) < limit.most; });
  if (!admitted) return false;
  make_room(now_ms);
  for (const Limit& limit : limits) attempts_[limit.key].push_back(now_ms);
  return true;
}

void LoginThrottle::take_back(const std::string& address, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  for (const Limit& limit : limits_of(address, name)) {
    const auto found = attempts_.find(limit.key);
    if (found == attempts_.end()) continue;
    if (!found->second.empty()) found->second.pop_back();
    if (found->second.empty()) attempts_.erase(found);
  }
}

}  // namespace cutd
