#include "judge_client/rule_annotator.h"

#include <algorithm>

#include "core/blanks.h"
#include "judge_client/checks.h"
#include "judge_client/verdict.h"

namespace cutd {
namespace {

constexpr std::size_t kGroup = 256;

}  // namespace

ReadResponse read_response(std::string_view text, bool ended) {
  ReadResponse response;
  response.text = trim_blanks(text);
  response.words = split_words(response.text);
  for (const Word& word : response.words) {
    response.folded.push_back(fold(word.text));
    response.bare.push_back(bare_word(word.text));
  }
  response.ended = ended;
  return response;
}

std::string quote_words(const Guideline& guideline, const ReadResponse& response, std::size_t first,
                        std::size_t count) {
  const std::size_t limit = std::min(count, static_cast<std::size_t>(guideline.max_quoted_words));
  return "\"" + std::string(words_text(response.text, response.words, first, limit)) + "\"";
}

std::string quote_end(const Guideline& guideline, const ReadResponse& response) {
  const std::size_t limit = static_cast<std::size_t>(guideline.max_quoted_words);
  const std::size_t first = response.words.size() > limit ? response.words.size() - limit : 0;
  return quote_words(guideline, response, first, limit);
}

std::string judge_by_rules(const Guideline& guideline, std::string_view instruction, std::string_view text,
                           bool ended) {
  const ReadResponse response = read_response(text, ended);
  const Finding findings[] = {check_opening(guideline, response),    check_self_talk(guideline, response),
                              check_list(guideline, response),       check_markup(guideline, response),
                              check_line_break(guideline, response), check_repetition(guideline, response),
                              check_overrun(guideline, response),    check_too_short(guideline, response),
                              check_final_stop(guideline, response), check_subject(guideline, instruction, response)};
  std::string judgment;
  std::int64_t named = 0;
  for (const Finding& finding : findings) {
    if (!finding || named == guideline.max_defects) continue;
    judgment += (named == 0 ? "" : " ") + *finding;
    ++named;
  }
  return judgment.empty() ? "Perfect." : judgment;
}

void RuleJudge::submit(JudgeRequest request) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(request));
}

std::vector<JudgeRequest> RuleJudge::take_group() {
  const std::lock_guard lock(mutex_);
  const std::size_t count = std::min(queue_.size(), kGroup);
  std::vector<JudgeRequest> group(std::make_move_iterator(queue_.begin()),
                                  std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(count)));
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
  return group;
}

void RuleJudge::run(std::stop_token stop, JudgeSink& sink) {
  while (!stop.stop_requested()) {
    const std::vector<JudgeRequest> group = take_group();
    if (group.empty()) return;
    std::vector<AttemptIntent> intents;
    intents.reserve(group.size());
    for (const JudgeRequest& request : group) intents.push_back({{request.id, 1}, 0});
    const std::vector<bool> admitted = sink.before_send(intents);
    for (std::size_t i = 0; i < group.size() && !stop.stop_requested(); ++i) {
      const JudgeRequest& request = group[i];
      if (!admitted.at(i)) {
        sink.finished(request.id, JudgeFailure{JudgeFailureKind::kCapped, "not admitted"});
        continue;
      }
      RawReply reply{judge_by_rules(guideline_, request.instruction, request.response, request.ended)};
      sink.after_reply(intents[i].id, reply, Usage{});
      sink.finished(request.id, parse_perfect_prefix(reply.bytes));
    }
  }
  const std::lock_guard lock(mutex_);
  queue_.clear();
}

}  // namespace cutd
