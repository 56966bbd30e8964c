// Who asks, and who may: the roles of people and programs, and what a route demands.
#pragma once

#include <optional>
#include <string>

#include "core/domain.h"

namespace cutd {

// Who a request was proved to come from.
struct Principal {
  Role role = Role::kViewer;
  std::optional<UserId> user;  // none: the daemon's own user, on the Unix socket
  std::string name;
  std::int64_t expires_at = 0;  // of the session or token, wall-clock microseconds; 0: never
  bool by_cookie = false;       // a browser sends cookies by itself: changes need proof of their origin
};

// The least that a route demands. kViewer and kAnnotator are also open to operators, not to each other.
enum class Access { kPublic, kSignedIn, kViewer, kAnnotator, kOperator };

bool allows(Access access, const std::optional<Principal>& principal);

// As schemas/openapi.yaml names it (x-access): "public", "signed_in", "viewer", "annotator", "operator".
const char* access_name(Access access);

}  // namespace cutd
