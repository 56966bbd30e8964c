// The command line's way to the API: over DATA/cutd.sock when a daemon serves the folder, else, for what only
// reads, the same handlers over the store opened read-only.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/json.h"
#include "core/log.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

// One thread.
class ApiClient {
 public:
  explicit ApiClient(std::filesystem::path data_dir);

  // The reply's JSON; an error reply becomes the Error that the daemon had. `target` is "/api/v1/…".
  // get() works without a daemon where the route only reads; otherwise, as post(), Error(kUnavailable) that
  // says how to start one. Error(kNotFound) when the folder has no store.
  Json get(const std::string& target);
  Json post(const std::string& target, const Json& body);

  bool has_daemon() const;

 private:
  Json ask(const std::string& method, const std::string& target, const std::string& body);
  Reply ask_store(const std::string& target);

  const std::filesystem::path data_dir_;
  NullLogger logger_;
  std::unique_ptr<StoreReader> store_;  // opened when first needed
};

// "a b/c" as part of a path or query.
std::string percent_encoded(const std::string& text);

}  // namespace cutd
