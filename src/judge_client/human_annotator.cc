#include "judge_client/human_annotator.h"

#include <algorithm>

#include "core/blanks.h"
#include "core/error.h"
#include "core/hash.h"
#include "dataset/label_rule.h"
#include "dataset/prompt_template.h"

namespace cutd {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::kBadInput, why); }

}  // namespace

void declare_human_options(OptionTable& table, HumanAnnotator& human, const std::string& section) {
  const auto key = [&](const char* name) { return section + "." + name; };
  table.add<std::int64_t>(key("overlap"), &human.overlap, "people who judge each response", [](const std::int64_t& n) {
    return n >= 1 && n <= 99 ? std::string() : std::string("must be 1 to 99");
  });
  table.add(key("agreement"), &human.agreement,
            "how several judgments become one: all (must agree, else no label), majority (a draw is reviewed), "
            "adjudicate (an operator decides where people disagree)",
            one_of({"all", "majority", "adjudicate"}));
  table.add(key("lease_minutes"), &human.lease_minutes, "how long an item is held without a sign of life",
            in_range(0.05, 1440));
  table.add(key("longest_lease_minutes"), &human.longest_lease_minutes, "how long one person holds an item at most",
            in_range(0.05, 10080));
  table.add(key("deadline_hours"), &human.deadline_hours,
            "the round goes on with what is there after so long (0: waits)", in_range(0, 8760));
  table.add(key("guidelines"), &human.guidelines, "what people are told, Markdown");
  table.add(key("guidelines_file"), &human.guidelines_file, "file with the guidelines, relative to this file");
  table.add(key("tags"), &human.tags, "only people with one of these tags judge (none: everybody)");
  table.add(key("suggest"), &human.suggest, "show people what another annotator said, with its name");
  table.add(key("gold"), &human.gold, "items with known labels, JSON Lines, relative to this file");
  table.add(key("gold_share"), &human.gold_share, "share of gold items among what a person is given", in_range(0, 0.5));
}

std::string human_defect(const HumanAnnotator& human) {
  if (human.longest_lease_minutes < human.lease_minutes)
    return "human.longest_lease_minutes must not be below human.lease_minutes";
  if (human.gold_share > 0 && human.gold.empty()) return "human.gold_share needs human.gold, the file of gold items";
  if (human.gold_share == 0 && !human.gold.empty()) return "human.gold needs human.gold_share above 0 (0.1 is usual)";
  return "";
}

std::string guidelines_hash(const HumanAnnotator& human) { return sha256_hex(human.guidelines); }

std::string human_version(const HumanAnnotator& human) {
  const Json identity = Json::array({guidelines_hash(human), human.overlap, human.agreement, human.suggest});
  return "human/" + sha256_hex(to_json_text(identity)).substr(0, 16);
}

std::string checked_judgment_text(bool satisfactory, const std::string& written) {
  const std::string text(trim_blanks(written));
  if (text.size() > kMostWrittenBytes) refuse("the text is too long: at most 65536 bytes");
  const bool control = std::any_of(text.begin(), text.end(), [](unsigned char byte) {
    return byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r';
  });
  if (control) refuse("the text holds a control character: remove it");
  if (neutralise_delimiters(text) != text) {
    refuse(
        "the text holds a heading such as \"### Response:\", which marks the parts of a training example: write it "
        "without the hashes");
  }
  if (satisfactory) {
    if (text.empty()) return "Perfect.";
    if (is_positive_text(text)) return text;
    refuse(
        "a satisfactory response needs no text, or one that begins with \"Perfect.\": remove the text, or say that "
        "the response is not satisfactory");
  }
  if (text.empty()) refuse("say in words what is wrong with the response and how it should be");
  if (is_positive_text(text)) {
    refuse("this text says that the response is perfect: say what is wrong with it, or that it is satisfactory");
  }
  return text;
}

}  // namespace cutd
