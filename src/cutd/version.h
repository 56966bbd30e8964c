// What this build is.
#pragma once

#include <string>

#include "server/router.h"

namespace cutd {

std::string version();
void add_version_route(Router& router);  // GET /api/v1/version

}  // namespace cutd
