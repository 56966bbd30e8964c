// JSON of requests and replies: refused with a message, or read as something that can be written and read again.
#include "core/error.h"
#include "core/json.h"
#include "fuzz/driver.h"
#include "server/http.h"
#include "server/message.h"

using namespace cutd;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Request request;
  request.body = fuzz::text_of(data, size);
  try {
    const Json value = json_body(request);
    if (parse_json(to_json_text(value), "again") != value) fuzz::violated("JSON is another after writing and reading");
  } catch (const Error& error) {
    if (!Json::accept(problem_reply(error).body)) fuzz::violated("a message that is no JSON");
  }
  try {
    parse_target(request.body, request);
    static_cast<void>(Json(request.path).dump());  // what passes is UTF-8
    for (const auto& [name, value] : request.query) static_cast<void>(Json({name, value}).dump());
  } catch (const Error& error) {
    if (!Json::accept(problem_reply(error).body)) fuzz::violated("a message that is no JSON");
  }
  return 0;
}
