#include "server/login_throttle.h"

namespace cutd {
namespace {

std::string address_key(const std::string& address) { return "address\n" + address; }
std::string name_key(const std::string& name) { return "name\n" + name; }
std::string pair_key(const std::string& address, const std::string& name) { return "pair\n" + address + "\n" + name; }

}  // namespace

std::size_t LoginThrottle::recent(const std::string& key, std::int64_t now_ms) {
  const auto found = failures_.find(key);
  if (found == failures_.end()) return 0;
  while (!found->second.empty() && found->second.front() <= now_ms - kWindowMs) found->second.pop_front();
  const std::size_t count = found->second.size();
  if (count == 0) failures_.erase(found);
  return count;
}

bool LoginThrottle::admits(const std::string& address, const std::string& name, std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  if (recent(address_key(address), now_ms) >= kPerAddress) return false;
  if (name.empty()) return true;
  return recent(name_key(name), now_ms) < kPerName && recent(pair_key(address, name), now_ms) < kPerNameAtAddress;
}

void LoginThrottle::failed(const std::string& address, const std::string& name, std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  if (failures_.size() >= kMostKeys) {
    for (auto entry = failures_.begin(); entry != failures_.end();) {
      const bool old = entry->second.empty() || entry->second.back() <= now_ms - kWindowMs;
      entry = old ? failures_.erase(entry) : std::next(entry);
    }
    if (failures_.size() >= kMostKeys) failures_.clear();
  }
  failures_[address_key(address)].push_back(now_ms);
  if (name.empty()) return;
  failures_[name_key(name)].push_back(now_ms);
  failures_[pair_key(address, name)].push_back(now_ms);
}

}  // namespace cutd
