#include "cutd/export_rows.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "exchange/format.h"
#include "support/command_outcome.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

LineageRow row(std::int64_t id, const std::string& instruction, const std::string& response,
               std::optional<JudgmentLabel> label) {
  LineageRow line;
  line.judgment = {id};
  line.instruction = instruction;
  line.instruction_hash = instruction;
  line.response_text = response;
  line.label = label;
  line.validated = label.has_value();
  line.state = label ? JudgmentState::kDone : JudgmentState::kFailed;
  line.judgment_text = label == JudgmentLabel::kNegative ? "Too long." : label ? "Perfect." : "";
  line.annotator = "editor";
  return line;
}

const std::vector<LineageRow> kRows = {row(1, "a", "good", JudgmentLabel::kPositive),
                                       row(2, "a", "bad", JudgmentLabel::kNegative),
                                       row(3, "a", "good", JudgmentLabel::kNegative),
                                       row(4, "b", "bad", JudgmentLabel::kNegative), row(5, "b", "unknown", {})};

TEST(ExportRowsTest, TripletsHoldValidatedJudgmentsAlone) {
  const std::vector<Json> triplets = format_records(DataFormat::kTriplets, judged_records(kRows));
  ASSERT_EQ(triplets.size(), 4U);
  EXPECT_TRUE(triplets[0].at("judgment").is_null());
  EXPECT_EQ(triplets[1].at("judgment"), "Too long.");
  EXPECT_EQ(triplets[1].at("id"), 2);
  LineageRow unvalidated = kRows[0];
  unvalidated.validated = false;
  EXPECT_TRUE(judged_records({unvalidated}).empty());
}

TEST(ExportRowsTest, PreferencesAreWithinAnInstructionAndBetweenDifferentTexts) {
  const std::vector<Json> pairs = format_records(DataFormat::kPreference, preference_records(kRows));
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_EQ(pairs[0].dump(), R"({"prompt":"a","chosen":"good","rejected":"bad"})");
}

TEST(ExportRowsTest, LineageHasFailuresAsStates) {
  const std::vector<Json> lineage = lineage_json(kRows);
  ASSERT_EQ(lineage.size(), 5U);
  EXPECT_EQ(lineage[4].at("state"), "failed");
  EXPECT_TRUE(lineage[4].at("label").is_null());
  EXPECT_EQ(lineage[0].at("annotator"), "editor");
}

TEST(ImportCommandTest, ConvertsBetweenFormats) {
  const TemporaryDirectory folder;
  write_file_durably(folder / "in.json",
                     R"([{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}])");
  const std::string out = (folder / "out.jsonl.gz").string();
  const CommandOutcome done =
      run_command({"import", (folder / "in.json").string(), "--as", "messages", "--output", out});
  EXPECT_EQ(done.code, 0) << done.error;
  EXPECT_EQ(read_records(out)[0].value.dump(),
            R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})");
  EXPECT_EQ(run_command({"import", (folder / "in.json").string(), "--as", "triplets", "--output", out}).code,
            kExitBadInput);
  EXPECT_EQ(run_command({"import", (folder / "in.json").string(), "--as", "triplets"}).code, kExitUsage);
  EXPECT_EQ(run_command({"export", "--output", out}).code, kExitUsage);
}

}  // namespace
}  // namespace cutd
