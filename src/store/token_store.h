// What the engine said about the tokens of responses, kept until their judgment changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

// Ids as generated. Error(kNotFound).
std::vector<std::int64_t> read_response_ids(Reader& reader, ResponseId response);

std::optional<Json> find_tokens(Reader& reader, JudgmentId judgment, const std::string& judgment_hash);
void keep_tokens(Writer& writer, JudgmentId judgment, const std::string& judgment_hash, const Json& tokens);

}  // namespace cutd
