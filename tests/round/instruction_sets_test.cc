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
