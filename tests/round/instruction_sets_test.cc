#include "round/instruction_sets.h"

#include <fstream>

#include "core/embedded.h"
#include "core/hash.h"
#include "round/round_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

std::vector<Instruction> parse(const std::string& bytes) { return parse_instructions(bytes, Split::kTrain, "a.jsonl"); }

TEST(ParseInstructionsTest, ReadsTextAndInput) {
  const auto read = parse("{\"instruction\": \"Add.\", \"input\": \"1 2\"}\n\n  \r\n{\"instruction\": \"Sing.\"}");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].input, "1 2");
  EXPECT_EQ(read[0].hash, instruction_hash("Add.", "1 2"));
  EXPECT_EQ(read[1].source, "a.jsonl");
}

TEST(ParseInstructionsTest, ReadsAReferenceAnswer) {
  const auto read = parse(R"({"instruction": "Add 1 and 2.", "reference": "3."})"
                          "\n"
                          R"({"instruction": "Sing.", "reference": " \n"})");
  EXPECT_EQ(read[0].reference, "3.");
  EXPECT_EQ(read[1].reference, "");
  EXPECT_EQ(read[0].hash, instruction_hash("Add 1 and 2.", ""));  // what is held out is the instruction
}

TEST(ParseInstructionsTest, NamesTheLineThatIsWrong) {
  const auto refused = [](const std::string& line) {
    return error_of(ErrorCode::kBadInput, [&] { parse("{\"instruction\": \"a\"}\n" + line); });
  };
  EXPECT_THAT(refused("{\"instruction\": \"b\""), HasSubstr("a.jsonl:2"));
  EXPECT_THAT(refused("[]"), HasSubstr("a.jsonl:2: an instruction must be an object"));
  EXPECT_THAT(refused("{\"instruction\": \"b\", \"output\": \"c\"}"), HasSubstr("unknown key \"output\""));
  EXPECT_THAT(refused("{\"input\": \"b\"}"), HasSubstr("instruction"));
  EXPECT_THAT(refused("{\"instruction\": 5}"), HasSubstr("instruction"));
  EXPECT_THAT(refused("{\"instruction\": \"  \"}"), HasSubstr("empty"));
  EXPECT_THAT(refused("{\"instruction\": \"a\"}"), HasSubstr("twice"));
  EXPECT_THAT(refused("{\"instruction\": \"b\", \"instruction\": \"c\"}"), HasSubstr("a.jsonl:2"));
}

class RequireReferencesTest : public testing::Test {
 protected:
  // What is refused of sets whose row `number` of file `where` has no reference.
  std::string refused(const std::string& where, int number) {
    const FileReader files = [&](const std::string& name) {
      std::string lines;
      for (int i = 1; i <= 3; ++i) {
        Json row = {{"instruction", name + " " + std::to_string(i)}};
        if (name != where || i != number) row["reference"] = "An answer.";
        lines += row.dump() + "\n";
      }
      return lines;
    };
    DataConfig data{"t.jsonl", "g.jsonl", "r.jsonl"};
    data.gate_count = 2;
    data.instructions_per_round = 2;
    const InstructionSets sets = read_instruction_sets(data, files);
    try {
      require_references(sets, data, "annotator critic");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(RequireReferencesTest, NamesFileAndLineOfAnInstructionWithoutOne) {
  EXPECT_EQ(refused("", 0), "");
  EXPECT_THAT(refused("t.jsonl", 3), HasSubstr("t.jsonl:3: annotator critic compares with a reference answer"));
  EXPECT_THAT(refused("g.jsonl", 2), HasSubstr("g.jsonl:2"));
  EXPECT_THAT(refused("r.jsonl", 1), HasSubstr("r.jsonl:1"));
}

TEST_F(RequireReferencesTest, AsksForNoneOfWhatTheRunDoesNotRead) { EXPECT_EQ(refused("g.jsonl", 3), ""); }

TEST(FileReaderTest, ReadsBesideTheConfiguration) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "sets");
  std::ofstream(folder / "sets/a.jsonl") << "x";
  EXPECT_EQ(files_beside(folder.path())("sets/a.jsonl"), "x");
  EXPECT_EQ(files_beside("/nowhere")((folder / "sets/a.jsonl").string()), "x");
  EXPECT_THAT(error_of(ErrorCode::kNotFound, [&] { files_beside(folder.path())("b.jsonl"); }), HasSubstr("b.jsonl"));
}

TEST(FileReaderTest, ReadsWhatIsBuiltIn) {
  const std::vector<EmbeddedFile> files = {{"a.jsonl", "x"}};
  EXPECT_EQ(embedded_files(files)("a.jsonl"), "x");
  EXPECT_THAT(error_of(ErrorCode::kNotFound, [&] { embedded_files(files)("b.jsonl"); }), HasSubstr("b.jsonl"));
}

}  // namespace
}  // namespace cutd
