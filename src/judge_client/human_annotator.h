// An annotator that is people: how many judge each response, for how long one person holds one, what they are told,
// and what of their text may become a judgment. The work itself is in the queue (store/queue.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"

namespace cutd {

struct HumanAnnotator {
  std::int64_t overlap = 1;            // people per response
  std::string agreement = "majority";  // how their judgments become one (store/queue_rules.h)
  double lease_minutes = 20;           // without a sign of life an item is given to somebody else
  double longest_lease_minutes = 120;  // and with one, at the latest then
  double deadline_hours = 0;           // the round goes on without the rest after so long; 0: it waits
  std::string guidelines;              // Markdown, shown beside every item
  std::string guidelines_file;         // read once, when the run starts, into `guidelines`
  std::vector<std::string> tags;       // only for people with one of them; none: for everybody
  bool suggest = false;                // show what another annotator said, with its name
  std::string gold;                    // file of items with known labels (JSON Lines)
  double gold_share = 0;               // of what a person is given; 0.1 is usual
};

// Declares `section`.overlap and so on.
void declare_human_options(OptionTable& table, HumanAnnotator& human, const std::string& section);
// Why it cannot work, naming the key, or "".
std::string human_defect(const HumanAnnotator& human);

// The hash of the guidelines' text, by which items name them.
std::string guidelines_hash(const HumanAnnotator& human);
// Of everything that changes what a judgment means: guidelines, overlap, agreement.
std::string human_version(const HumanAnnotator& human);

// What a person wrote as the judgment that is stored: blanks around it removed, "Perfect." for a satisfactory response
// without a remark. Throws Error(kBadInput) that tells the person what to change: nothing written about a response that
// is not satisfactory, a text that the label rule (dataset/label_rule.h) would read as the other label, a delimiter of
// the training template, a control character, more than kMostWrittenBytes.
std::string checked_judgment_text(bool satisfactory, const std::string& text);
constexpr std::size_t kMostWrittenBytes = 65536;

}  // namespace cutd
