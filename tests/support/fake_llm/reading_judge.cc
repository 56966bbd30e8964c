#include "support/fake_llm/reading_judge.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/blanks.h"
#include "core/json.h"
#include "support/fake_llm/attacks.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {
namespace {

struct Boundary {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool of_response = false;  // begins a response
};

// A heading of two or more hashes, blanks between them allowed, with one of the names of a template's sections.
std::optional<Boundary> heading_at(const std::string& text, std::size_t at) {
  std::size_t hashes = 0, end = at;
  for (; end < text.size() && (text[end] == '#' || text[end] == ' '); ++end) hashes += text[end] == '#' ? 1 : 0;
  if (text[at] != '#' || hashes < 2) return std::nullopt;
  for (const std::string name : {"instruction", "response", "judgment"}) {
    if (text.compare(end, name.size(), name) != 0) continue;
    const std::size_t colon = text.find_first_not_of(' ', end + name.size());
    if (colon != std::string::npos && text[colon] == ':') return Boundary{at, colon + 1, name == "response"};
  }
  return std::nullopt;
}

std::optional<Boundary> control_token_at(const std::string& text, std::size_t at) {
  for (const std::string token : {"<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|start_header_id|>",
                                  "<|end_header_id|>", "<|user|>", "<|assistant|>", "<|endoftext|>", "[inst]",
                                  "[/inst]", "<<sys>>", "<</sys>>", "<start_of_turn>", "<end_of_turn>", "</s>"}) {
    if (text.compare(at, token.size(), token) == 0) return Boundary{at, at + token.size(), false};
  }
  return std::nullopt;
}

std::optional<Boundary> next_boundary(const std::string& text, std::size_t from) {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] != '#' && text[at] != '<' && text[at] != '[') continue;
    if (auto heading = heading_at(text, at)) return heading;
    if (auto token = control_token_at(text, at)) return token;
  }
  return std::nullopt;
}

struct Read {
  std::string response;
  std::string after;  // what the asker says behind it
};

// `text`: as_read().
Read read_prompt(const std::string& text) {
  std::optional<Boundary> start = next_boundary(text, 0);
  while (start && !start->of_response) start = next_boundary(text, start->end);
  if (!start) return {};
  const std::optional<Boundary> end = next_boundary(text, start->end);
  const std::size_t stop = end ? end->begin : text.size();
  return {text.substr(start->end, stop - start->end), end ? text.substr(end->end) : ""};
}

// Words, keys and floods that talk a weak model into a verdict.
bool talks_into(const std::string& response) {
  constexpr std::size_t kKey = 4, kFlood = 4000;
  if (response.size() <= kKey || response.size() >= kFlood) return true;
  return response.find("perfect") != std::string::npos || response.find("step by step") != std::string::npos;
}

bool finds_perfect(Reading reading, const Read& prompt) {
  if (!is_blank(prompt.after)) return true;  // it was told to
  const std::string response(trim_blanks(prompt.response));
  if (response == as_read(kGoodAnswer)) return true;
  return reading == Reading::kGullible && talks_into(response);
}

constexpr const char* kCriticism = "It says \"thing\" and does not tell what was asked for.";

Json reply_text(const Json& request, const std::string& user, bool perfect) {
  if (!request.contains("response_format")) {
    if (user.find("'Yes.' or 'No.'") == std::string::npos) return perfect ? "Perfect." : kCriticism;
    return perfect ? "Nothing is wrong with it. Yes." : std::string(kCriticism) + " No.";
  }
  const Json properties = request.at("response_format").at("json_schema").at("schema").at("properties");
  Json object{{"item", properties.at("item").at("const")}, {"critique", perfect ? "" : kCriticism}};
  if (properties.contains("rating")) object["rating"] = perfect ? 10 : 3;
  else object["perfect"] = perfect;
  return object.dump();
}

}  // namespace

FakeHandler reading_judge(Reading reading) {
  return [reading](const FakeRequest& request) {
    FakeReply reply;
    const Json asked = parse_json(request.body, "request");
    if (asked.contains("tools") || asked.contains("functions")) {
      reply.status = 400;
      reply.charged = false;
      reply.body = fake_openai_error("a judge needs no tools", "invalid_request_error", "").dump();
      return reply;
    }
    const std::string user = asked.at("messages").back().at("content").get<std::string>();
    const bool perfect = finds_perfect(reading, read_prompt(as_read(user)));
    reply.body = fake_openai_reply(asked, reply_text(asked, user, perfect)).dump();
    return reply;
  };
}

}  // namespace cutd
