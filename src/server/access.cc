#include "server/access.h"

namespace cutd {

bool allows(Access access, const std::optional<Principal>& principal) {
  if (access == Access::kPublic) return true;
  if (!principal) return false;
  switch (access) {
    case Access::kPublic:
    case Access::kSignedIn: return true;
    case Access::kViewer: return principal->role != Role::kAnnotator;
    case Access::kAnnotator: return principal->role != Role::kViewer;
    case Access::kOperator: return principal->role == Role::kOperator;
  }
  return false;
}

const char* access_name(Access access) {
  switch (access) {
    case Access::kPublic: return "public";
    case Access::kSignedIn: return "signed_in";
    case Access::kViewer: return "viewer";
    case Access::kAnnotator: return "annotator";
    case Access::kOperator: return "operator";
  }
  return "operator";
}

}  // namespace cutd
