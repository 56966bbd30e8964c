// Filters and cursors of a list as its query string has them.
#pragma once

#include <optional>
#include <string>

#include "core/domain.h"
#include "server/route_arguments.h"
#include "store/browse.h"

namespace cutd {

template <typename IdType>
std::optional<IdType> query_id(const Request& request, const std::string& name) {
  const std::int64_t value = query_integer(request, name, 0, 1, INT64_MAX);
  return value > 0 ? std::optional(IdType{value}) : std::nullopt;
}

template <typename Enum>
std::optional<Enum> query_name(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::nullopt : std::optional(from_name<Enum>(found->second));
}

// `cursor` is the id of the last row shown; of judgments "RESPONSE.JUDGMENT". Error(kBadInput) for another one.
PageQuery query_page(const Request& request);
std::string query_search(const Request& request);
BrowseFilter query_filter(const Request& request);

// `rows` was asked for with one row more than the page shows: it is dropped, and `next` tells that there is more.
template <typename Row, typename CursorOf>
Json next_of(std::vector<Row>& rows, const PageQuery& page, const CursorOf& cursor_of) {
  if (static_cast<std::int64_t>(rows.size()) < page.limit) return nullptr;
  rows.pop_back();
  return cursor_of(rows.back());
}

}  // namespace cutd
