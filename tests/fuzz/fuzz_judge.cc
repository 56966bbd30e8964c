// What a judge's server answers: the wire formats, batches, and verdicts in the model's words. The first byte chooses
// the format. Whatever comes, a judgment that is accepted is text that may become a label.
#include "core/error.h"
#include "fuzz/driver.h"
#include "judge_client/judging_prompt.h"
#include "judge_client/llm_judge.h"
#include "judge_client/reply_check.h"
#include "judge_client/verdict.h"
#include "llm_api/batch_api.h"
#include "llm_api/failure.h"
#include "llm_api/wire_format.h"
#include "pairwise/evaluator.h"
#include "pairwise/python_literal.h"

using namespace cutd;

namespace {

template <typename Work>
void attempt(Work work) {
  try {
    work();
  } catch (const Error&) {
  }
}

const JudgedText kText{"Name a fruit.", "Apple.", "", true};

void check(const JudgeOutcome& outcome) {
  const auto* verdict = std::get_if<Verdict>(&outcome);
  if (verdict == nullptr) return;
  if (verdict->perfect) {
    if (verdict->text != "Perfect.") fuzz::violated("a perfect verdict has a text of its own");
  } else if (why_no_criticism(verdict->text)) {
    fuzz::violated("a criticism that is none: " + verdict->text);
  }
}

void read_reply(WireFormat format, const std::string& body) {
  ChatRequest request;
  request.model = "m";
  request.accepted_models = {"*"};
  HttpReply reply;
  reply.status = 200;
  reply.headers = {{"content-type", "application/json"}, {"retry-after", body.substr(0, 40)}};
  reply.body = body;
  const ChatOutcome outcome = parse_chat_reply(format, request, reply, 1'764'000'000'000'000);
  read_usage(format, body);
  if (const auto* chat = std::get_if<ChatReply>(&outcome)) {
    for (const std::string& name : built_in_judging_prompts())
      check(read_chat_reply(judging_prompt(name), kText, *chat));
    static const PairwiseEvaluator kEvaluator = read_evaluator(built_in_evaluators().front());
    parse_pair_reply(kEvaluator, {"i", "a", "b"}, *chat);
  }
  reply.status = 429;
  classify_status(reply, 1'764'000'000'000'000);
  retry_after_ms(reply, 1'764'000'000'000'000);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto format = static_cast<WireFormat>(data[0] % 3);
  const std::string body(fuzz::text_of(data + 1, size - 1));
  read_reply(format, body);
  for (const std::string& parser : verdict_parsers()) {
    for (const bool has_item : {false, true}) check(parse_verdict({parser, 7, has_item}, body, item_code(kText)));
  }
  parse_perfect_prefix(body);  // alone it takes anything with a text for a criticism
  if (format != WireFormat::kWebhook) {
    attempt([&] { read_batch_results(format, body); });
    attempt([&] { read_batch(format, parse_json(body, "x")); });
    attempt([&] { read_batch_page(format, parse_json(body, "x")); });
  }
  attempt([&] { read_file_id(parse_json(body, "x")); });
  attempt([&] { parse_python_literal(body); });
  return 0;
}
