// GET /api/v1/responses/{id}/tokens: which tokens CUT found inappropriate.
#pragma once

#include "round/token_explanations.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

// References must outlive the router.
void add_token_routes(Router& router, const Store& store, TokenExplanations& explanations);

}  // namespace cutd
