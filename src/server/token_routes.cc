#include "server/token_routes.h"

#include "server/page_arguments.h"

namespace cutd {
namespace {

Reply tokens_of(const Store& store, TokenExplanations& explanations, const Request& request) {
  const auto response = path_id<ResponseId>(request);
  const auto judgment = query_id<JudgmentId>(request, "judgment");
  const ExplainedJudgment what = store.read([&](Reader& reader) { return find_explained(reader, response, judgment); });
  const std::optional<Json> tokens = explanations.find_or_ask(what);
  if (!tokens) {
    Reply reply =
        json_reply({{"state", "pending"}, {"why", "the engine has been asked; its work in progress comes first"}}, 202);
    reply.headers.emplace_back("Retry-After", "2");
    return reply;
  }
  std::int64_t detected = 0;
  for (const Json& token : *tokens) detected += token.at("detected").get<bool>() ? 1 : 0;
  const ObjectiveConfig& objective = what.frozen.config.train.objective;
  return json_reply({{"state", "ready"},
                     {"response", response.value},
                     {"judgment", what.judgment.value},
                     {"judgment_text", what.judgment_text},
                     {"threshold", objective.lambda},
                     {"objective", objective.name + " " + objective.variant},
                     {"detected", detected},
                     {"tokens", *tokens}});
}

}  // namespace

void add_token_routes(Router& router, const Store& store, TokenExplanations& explanations) {
  router.add("GET", "/api/v1/responses/{id}/tokens", Access::kViewer,
             [&store, &explanations](const Request& request) { return tokens_of(store, explanations, request); });
}

}  // namespace cutd
