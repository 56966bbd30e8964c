#include "exchange/annotation_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange/format.h"
#include "support/error_of.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<DataRecord> argilla(const std::string& record) {
  std::vector<DataRecord> records;
  parse_argilla({parse_json(record, "f.json"), "f.json: record 0"}, records);
  return records;
}

std::vector<DataRecord> label_studio(const std::string& record) {
  std::vector<DataRecord> records;
  parse_label_studio({parse_json(record, "f.json"), "f.json: record 0"}, records);
  return records;
}

// One annotation of Label Studio, with a choice and a text.
std::string annotated(const std::string& label, const std::string& text, const std::string& rest = "") {
  return R"({"data":{"instruction":"a","response":"b"},"annotations":[{"result":[
    {"from_name":"label","to_name":"response","type":"choices","value":{"choices":[")" +
         label + R"("]}},{"from_name":"judgment","to_name":"response","type":"textarea","value":{"text":[")" + text +
         R"("]}}])" + rest + "}]}";
}

TEST(AnnotationToolsTest, EverySubmittedAnswerOfArgillaIsARecord) {
  const auto records = argilla(R"({"id":"r1","fields":{"instruction":"a","input":"i","response":"b"},"responses":[
    {"user_id":"u1","status":"submitted","values":{"label":{"value":"negative"},"judgment":{"value":"Too long."}}},
    {"user_id":"u2","status":"draft","values":{"label":{"value":"negative"}}},
    {"user_id":"u3","status":"discarded","values":{}},
    {"user_id":"u4","status":"submitted","values":{"label":"positive"}}],"status":"completed"})");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].id, "r1");
  EXPECT_EQ(records[0].input, "i");
  EXPECT_EQ(records[0].output, "b");
  EXPECT_TRUE(records[0].judged);
  EXPECT_EQ(records[0].judgment, "Too long.");
  EXPECT_TRUE(records[1].judged);
  EXPECT_FALSE(records[1].judgment);
}

TEST(AnnotationToolsTest, ATaskThatNobodyAnsweredHasNoJudgment) {
  for (const auto& records :
       {argilla(R"({"fields":{"prompt":"a","completion":"b"},"responses":[{"status":"draft","values":{}}]})"),
        label_studio(R"({"data":{"prompt":"a","completion":"b"},"annotations":[]})"),
        label_studio(R"({"data":{"prompt":"a","completion":"b"}})")}) {
    ASSERT_EQ(records.size(), 1U);
    EXPECT_FALSE(records[0].judged);
    EXPECT_EQ(records[0].instruction, "a");
    EXPECT_EQ(records[0].output, "b");
    EXPECT_FALSE(can_write(DataFormat::kTriplets, records[0]));
    EXPECT_TRUE(can_write(DataFormat::kAlpaca, records[0]));
  }
}

TEST(AnnotationToolsTest, LabelStudiosCancelledAnnotationsSayNothing) {
  EXPECT_EQ(label_studio(annotated("negative", "Wrong."))[0].judgment, "Wrong.");
  const auto cancelled = label_studio(annotated("negative", "Wrong.", R"(,"was_cancelled":true)"));
  ASSERT_EQ(cancelled.size(), 1U);
  EXPECT_FALSE(cancelled[0].judged);
}

TEST(AnnotationToolsTest, ErrorsNameRecordAnswerAndWhatIsWrong) {
  const auto refused = [](const auto& parse, const std::string& record) {
    return error_of(ErrorCode::kBadInput, [&] { parse(record); });
  };
  EXPECT_THAT(refused(argilla, R"({"fields":{"text":"a"}})"),
              AllOf(HasSubstr("f.json: record 0: fields"), HasSubstr("instruction")));
  EXPECT_THAT(refused(argilla, R"({"fields":[]})"), HasSubstr("\"fields\""));
  EXPECT_THAT(refused(argilla, R"({"fields":{"instruction":"a","response":"b"},"responses":{}})"),
              HasSubstr("\"responses\""));
  EXPECT_THAT(refused(argilla, R"({"fields":{"instruction":"a","response":"b"},"responses":[
                {"status":"submitted","values":{"judgment":{"value":"x"}}}]})"),
              AllOf(HasSubstr("responses[0]"), HasSubstr("\"label\"")));
  EXPECT_THAT(refused(argilla, R"({"fields":{"instruction":"a"},"responses":[
                {"status":"submitted","values":{"label":{"value":"positive"}}}]})"),
              HasSubstr("\"response\""));
  EXPECT_THAT(refused(label_studio, annotated("bad", "x")), HasSubstr("annotations[0]"));
  EXPECT_THAT(refused(label_studio, annotated("negative", " ")), HasSubstr("what is wrong"));
}

TEST(AnnotationToolsTest, WhatIsWrittenIsReadAgain) {
  const std::vector<RawRecord> raw = {
      {parse_json(R"({"id":1,"instruction":"a","input":"","output":"b","judgment":"Bad."})", "f"), "f: record 0"},
      {parse_json(R"({"id":2,"instruction":"a","input":"c","output":"d","judgment":null})", "f"), "f: record 1"}};
  const auto triplets = parse_records(DataFormat::kTriplets, raw);
  for (const DataFormat format : {DataFormat::kArgilla, DataFormat::kLabelStudio}) {
    std::vector<RawRecord> tasks;
    for (const Json& value : format_records(format, triplets)) tasks.push_back({value, "again"});
    EXPECT_EQ(detect_format(tasks), format);
    EXPECT_EQ(format_records(DataFormat::kTriplets, parse_records(format, tasks)),
              format_records(DataFormat::kTriplets, triplets))
        << format_name(format);
  }
}

TEST(AnnotationToolsTest, AnUnwantedOutputWithoutAReasonWaitsForOne) {
  const std::vector<RawRecord> raw = {
      {parse_json(R"({"prompt":"a","completion":"b","label":false})", "f"), "f: record 0"}};
  const auto records = parse_records(DataFormat::kUnpaired, raw);
  EXPECT_EQ(format_records(DataFormat::kArgilla, records)[0].at("status"), "pending");
  EXPECT_TRUE(format_records(DataFormat::kLabelStudio, records)[0].at("annotations").empty());
}

}  // namespace
}  // namespace cutd
