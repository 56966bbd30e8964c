#include "exchange/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "support/error_of.h"
#include "support/golden.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<RawRecord> raw(const std::string& list) {
  std::vector<RawRecord> records;
  for (const Json& value : parse_json(list, "f.json"))
    records.push_back({value, "f.json: record " + std::to_string(records.size())});
  return records;
}

// Reads, writes as the same format, reads again: nothing may change.
void expect_round_trip(const std::string& list, DataFormat format) {
  const std::vector<RawRecord> first = raw(list);
  EXPECT_EQ(detect_format(first), format) << format_name(format);
  const std::vector<Json> written = format_records(format, parse_records(format, first));
  std::vector<RawRecord> again;
  for (const Json& value : written) again.push_back({value, "again"});
  EXPECT_EQ(format_records(format, parse_records(format, again)), written) << format_name(format);
  ASSERT_EQ(written.size(), first.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (const auto& [key, value] : first[i].value.items()) EXPECT_EQ(written[i].value(key, Json()), value) << key;
  }
}

std::string refused(const std::string& list, DataFormat format) {
  return error_of(ErrorCode::kBadInput, [&] { parse_records(format, raw(list)); });
}

TEST(DataFormatTest, EveryFormatIsDetectedAndSurvivesARoundTrip) {
  expect_round_trip(R"([{"instruction":"a","input":""},{"instruction":"b","input":"c"}])", DataFormat::kInstructions);
  expect_round_trip(R"([{"instruction":"a","input":"b","output":"c","system":"s","history":[["x","y"]]}])",
                    DataFormat::kAlpaca);
  expect_round_trip(R"([{"id":7,"instruction":"a","input":"b","output":"c","judgment":null},
                        {"id":8,"instruction":"a","input":"","output":"c","judgment":"Too long.","score":3.5}])",
                    DataFormat::kTriplets);
  expect_round_trip(R"([{"conversations":[{"from":"system","value":"s"},{"from":"human","value":"a"},
                        {"from":"gpt","value":"b"},{"from":"human","value":"c"},{"from":"gpt","value":"d"}]}])",
                    DataFormat::kShareGpt);
  expect_round_trip(R"([{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}])",
                    DataFormat::kMessages);
  expect_round_trip(R"([{"prompt":"a"}])", DataFormat::kPrompt);
  expect_round_trip(R"([{"prompt":"a","completion":"b"}])", DataFormat::kPromptCompletion);
  expect_round_trip(R"([{"prompt":"a","chosen":"b","rejected":"c"}])", DataFormat::kPreference);
  expect_round_trip(R"([{"prompt":[{"role":"system","content":"s"},{"role":"user","content":"a"}],
                        "chosen":[{"role":"assistant","content":"b"}],
                        "rejected":[{"role":"assistant","content":"c"}]}])",
                    DataFormat::kPreference);
  expect_round_trip(R"([{"prompt":"a","completion":"b","label":false}])", DataFormat::kUnpaired);
  expect_round_trip(R"([{"instruction":"a","output":"b","generator":"m"}])", DataFormat::kAlpacaEvalOutputs);
  expect_round_trip(R"([{"instruction":"a","output_1":"b","generator_1":"m1","output_2":"c","generator_2":"m2",
                        "dataset":"d","annotator":"j","preference":1.25,"price_per_example":0.1},
                        {"instruction":"a","output_1":"b","generator_1":"m1","output_2":"c","generator_2":"m2",
                        "annotator":"j","preference":null}])",
                    DataFormat::kAlpacaEvalAnnotations);
  expect_round_trip(R"([{"id":"x","fields":{"instruction":"a","input":"","response":"b"},"status":"pending"}])",
                    DataFormat::kArgilla);
  expect_round_trip(R"([{"id":3,"data":{"instruction":"a","input":"","response":"b"},"annotations":[]}])",
                    DataFormat::kLabelStudio);
}

TEST(DataFormatTest, NamesAndFormatsCorrespond) {
  for (const std::string& name : format_names()) EXPECT_EQ(format_name(format_of(name)), name);
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { format_of("parquet"); }), HasSubstr("sharegpt"));
}

TEST(DataFormatTest, ErrorsNameFileRecordAndKey) {
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [] { detect_format(raw(R"([{"text":"x","n":1}])")); }),
              AllOf(HasSubstr("f.json: record 0"), HasSubstr("text, n"), HasSubstr("--format")));
  EXPECT_THAT(refused(R"([{"instruction":"a","output":"b","judgment":null},{"instruction":"a","output":"b"}])",
                      DataFormat::kTriplets),
              AllOf(HasSubstr("f.json: record 1"), HasSubstr("\"judgment\"")));
  EXPECT_THAT(refused(R"([{"prompt":"a","completion":"b","label":1}])", DataFormat::kUnpaired), HasSubstr("\"label\""));
  EXPECT_THAT(refused(R"([{"instruction":" ","output":"b"}])", DataFormat::kAlpaca), HasSubstr("record 0"));
  EXPECT_THAT(refused(R"([{"instruction":"a","output":"b","history":[["x"]]}])", DataFormat::kAlpaca),
              HasSubstr("\"history\""));
  EXPECT_THAT(refused(R"([{"messages":[{"role":"tool","content":"x"}]}])", DataFormat::kMessages),
              HasSubstr("messages[0]"));
  EXPECT_THAT(refused(R"([{"messages":[{"role":"assistant","content":"x"}]}])", DataFormat::kMessages),
              HasSubstr("expected a turn of the user"));
  EXPECT_THAT(refused(R"([{"messages":[]}])", DataFormat::kMessages), HasSubstr("\"messages\""));
  EXPECT_THAT(refused(R"([{"conversations":[{"from":"human","value":1}]}])", DataFormat::kShareGpt),
              HasSubstr("\"value\""));
  EXPECT_THAT(refused(R"([{"instruction":"a","output_1":"b","output_2":"c"}])", DataFormat::kAlpacaEvalAnnotations),
              AllOf(HasSubstr("f.json: record 0"), HasSubstr("\"preference\"")));
}

std::string annotation(const std::string& preference) {
  return R"([{"instruction":"a","output_1":"b","generator_1":"m1","output_2":"c","generator_2":"m2","annotator":"j",
              "preference":)" +
         preference + R"(,"price_per_example":0.1}])";
}

TEST(DataFormatTest, AnAnnotationSaysWhichOutputIsPreferred) {
  const auto preferred = [](const std::string& preference) {
    return parse_records(DataFormat::kAlpacaEvalAnnotations, raw(annotation(preference))).front();
  };
  EXPECT_EQ(preferred("1").output, "b");
  EXPECT_EQ(preferred("1").rejected, "c");
  EXPECT_EQ(preferred("1").generator, "m1");
  EXPECT_EQ(preferred("1.9").output, "c");
  EXPECT_EQ(preferred("1.9").generator, "m2");
}

TEST(DataFormatTest, ADrawAndAnUnreadVerdictPreferNothingAndAreKept) {
  for (const char* preference : {"null", "0", "1.5", "3"}) {
    const auto records = parse_records(DataFormat::kAlpacaEvalAnnotations, raw(annotation(preference)));
    EXPECT_FALSE(can_write(DataFormat::kPreference, records[0])) << preference;
    EXPECT_EQ(format_records(DataFormat::kAlpacaEvalAnnotations, records)[0].at("preference"),
              parse_json(preference, "number"));
  }
}

TEST(DataFormatTest, APreferenceIsAnAnnotationWhoseChosenOutputWins) {
  const auto records = parse_records(DataFormat::kPreference, raw(R"([{"prompt":"a","chosen":"b","rejected":"c"}])"));
  const Json written = format_records(DataFormat::kAlpacaEvalAnnotations, records)[0];
  EXPECT_EQ(written.at("output_2"), "b");
  EXPECT_EQ(written.at("output_1"), "c");
  EXPECT_EQ(written.at("preference"), 2);
}

TEST(DataFormatTest, ALabelIsNeverMadeUp) {
  const auto write = [](const std::string& list, DataFormat from, DataFormat to) {
    return error_of(ErrorCode::kBadInput, [&] { format_records(to, parse_records(from, raw(list))); });
  };
  const std::string plain = R"([{"instruction":"a","output":"b"}])";
  EXPECT_THAT(write(plain, DataFormat::kAlpaca, DataFormat::kTriplets), HasSubstr("no judgment"));
  EXPECT_THAT(write(plain, DataFormat::kAlpaca, DataFormat::kUnpaired), HasSubstr("no label"));
  EXPECT_THAT(write(plain, DataFormat::kAlpaca, DataFormat::kPreference), HasSubstr("no rejected output"));
  EXPECT_THAT(write(R"([{"prompt":"a","completion":"b","label":false}])", DataFormat::kUnpaired, DataFormat::kTriplets),
              HasSubstr("what is wrong"));
  EXPECT_THAT(write(R"([{"prompt":"a"}])", DataFormat::kPrompt, DataFormat::kAlpaca), HasSubstr("no output"));
  const std::vector<DataRecord> wanted =
      parse_records(DataFormat::kUnpaired, raw(R"([{"prompt":"a","completion":"b","label":true}])"));
  EXPECT_TRUE(format_records(DataFormat::kTriplets, wanted)[0].at("judgment").is_null());
}

TEST(DataFormatTest, SystemTextsMakeMessageListsThroughout) {
  const std::vector<DataRecord> records = parse_records(
      DataFormat::kAlpaca, raw(R"([{"instruction":"a","output":"b"},{"instruction":"c","output":"d","system":"s"}])"));
  for (const Json& value : format_records(DataFormat::kPromptCompletion, records)) {
    EXPECT_TRUE(value.at("prompt").is_array());
    EXPECT_TRUE(value.at("completion").is_array());
  }
}

TEST(RecordFileTest, KeepsRecordsInEveryContainer) {
  const TemporaryDirectory folder;
  const std::vector<Json> records = {{{"instruction", "Zürich 🙂\n"}, {"n", 1}}, {{"instruction", "b"}}};
  for (const char* name : {"a.json", "a.jsonl", "a.json.gz", "a.jsonl.gz"}) {
    write_records(folder / name, records);
    const std::vector<RawRecord> again = read_records(folder / name);
    ASSERT_EQ(again.size(), 2U) << name;
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(again[i].value, records[i]) << name;
  }
  EXPECT_TRUE(read_file(folder / "a.json.gz").starts_with("\x1f\x8b"));
  error_of(ErrorCode::kUsage, [&] { write_records(folder / "a.parquet", records); });
}

TEST(RecordFileTest, ADamagedFileIsNamedWithItsPlace) {
  const TemporaryDirectory folder;
  const auto read = [&](const std::string& bytes, ErrorCode code = ErrorCode::kBadInput) {
    write_file_durably(folder / "f.jsonl", bytes);
    return error_of(code, [&] { read_records(folder / "f.jsonl"); });
  };
  EXPECT_THAT(read("{\"a\":1}\n{\"a\":\n"), HasSubstr("f.jsonl:2"));
  EXPECT_THAT(read("[1]"), HasSubstr("record 0"));
  EXPECT_THAT(read(" \n"), HasSubstr("no records"));
  const std::string packed = gzip(std::string(1000, 'x'));
  for (std::size_t size = 2; size < packed.size(); ++size)
    EXPECT_THAT(read(packed.substr(0, size)), HasSubstr("gzip")) << size;
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { gunzip(packed, "bomb", 999); }), HasSubstr("bomb"));
  EXPECT_EQ(gunzip(packed + packed, "joined", 5000).size(), 2000U);
}

TEST(RecordFileTest, ReadsTheAuthorsTriplets) {
  if (golden_folder().empty()) GTEST_SKIP() << "no golden data";
  const std::vector<RawRecord> records = read_records(golden_folder().parent_path() / "cut-iterations/iter1.json");
  EXPECT_EQ(detect_format(records), DataFormat::kTriplets);
  EXPECT_EQ(parse_records(DataFormat::kTriplets, records).size(), records.size());
}

}  // namespace
}  // namespace cutd
