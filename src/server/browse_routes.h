// Pages of what the rounds left behind: responses, judgments, rounds, instructions, evaluations, annotators; and the
// figures of one round.
#pragma once

#include "server/router.h"
#include "server/routes.h"

namespace cutd {

// GET responses, responses/{id}, judgments, judgments/{id}, annotators, annotators/{id}, rounds, evaluations,
// evaluations/{id}, instructions, rounds/{id}/summary, rounds/{id}/steps.
void add_browse_routes(Router& router, const ReadContext& context);

}  // namespace cutd
