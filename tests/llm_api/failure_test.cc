// P17: what each failure means, and what each form of Retry-After says.
#include "llm_api/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNow = 1'784'073'600'000'000;  // 2026-07-15T00:00:00Z

HttpReply reply_of(int status, const std::string& body = "", std::vector<HttpHeader> headers = {}) {
  HttpReply reply;
  reply.status = status;
  reply.body = body;
  reply.headers = std::move(headers);
  return reply;
}

FailureClass class_of(int status, const std::string& body = "") {
  return classify_status(reply_of(status, body), kNow).what;
}

TEST(FailureTest, SortsStatuses) {
  for (const int status : {408, 409, 425, 429, 500, 502, 503, 504, 529, 599})
    EXPECT_EQ(class_of(status), FailureClass::kRetryable) << status;
  for (const int status : {301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422}) {
    EXPECT_EQ(class_of(status), FailureClass::kPermanent) << status;
  }
  EXPECT_EQ(class_of(402), FailureClass::kSpendLimit);
  EXPECT_EQ(class_of(407), FailureClass::kPermanent);
}

TEST(FailureTest, TellsSpentCreditFromHaste) {
  for (const char* code : {"insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
                           "project_spend_limit_exceeded", "organization_usage_limit_exceeded"}) {
    EXPECT_EQ(class_of(429, R"({"error":{"message":"x","type":"requests","code":")" + std::string(code) + "\"}}"),
              FailureClass::kSpendLimit)
        << code;
  }
  const std::string anthropic =
      R"({"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}})";
  EXPECT_EQ(class_of(429, anthropic), FailureClass::kSpendLimit);
  EXPECT_EQ(
      class_of(
          400,
          R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}})"),
      FailureClass::kSpendLimit);
  const ApiFailure haste = classify_status(
      reply_of(429, R"({"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}})"), kNow);
  EXPECT_EQ(haste.what, FailureClass::kRetryable);
  EXPECT_TRUE(haste.throttled);
}

TEST(FailureTest, ReadsHtmlErrorsByTheirStatus) {
  EXPECT_EQ(class_of(502, "<html>Bad gateway</html>"), FailureClass::kRetryable);
  EXPECT_EQ(class_of(403, "<html>Forbidden</html>"), FailureClass::kPermanent);
}

TEST(FailureTest, SaysWhatToDo) {
  const auto message = [](int status) {
    return classify_status(reply_of(status, R"({"error":{"message":"why"}})"), kNow).message;
  };
  EXPECT_THAT(message(401), HasSubstr("correct the credential"));
  EXPECT_THAT(message(404), HasSubstr("check model and base URL"));
  EXPECT_THAT(message(402), HasSubstr("add credit"));
  EXPECT_THAT(message(307), HasSubstr("base URL"));
  EXPECT_THAT(message(400), HasSubstr("(why)"));
}

TEST(FailureTest, SortsBrokenConnectionsByWhetherTheServerMayHaveActed) {
  const auto sort = [](HttpFailureKind kind, bool maybe_sent) {
    return classify_http_failure({kind, maybe_sent, 0, "x"}).what;
  };
  for (const auto kind : {HttpFailureKind::kResolve, HttpFailureKind::kConnect, HttpFailureKind::kTls}) {
    EXPECT_EQ(sort(kind, false), FailureClass::kRetryable);
  }
  for (const auto kind : {HttpFailureKind::kTimeout, HttpFailureKind::kInterrupted, HttpFailureKind::kCancelled}) {
    EXPECT_EQ(sort(kind, true), FailureClass::kUnknown);
  }
  EXPECT_EQ(sort(HttpFailureKind::kCertificate, false), FailureClass::kPermanent);
  EXPECT_EQ(sort(HttpFailureKind::kRefused, false), FailureClass::kPermanent);
  EXPECT_EQ(sort(HttpFailureKind::kTooLarge, true), FailureClass::kUnusable);
  EXPECT_EQ(sort(HttpFailureKind::kGarbled, true), FailureClass::kUnusable);
}

TEST(FailureTest, HeedsShouldRetryOnlyWhereItSaysNo) {
  EXPECT_FALSE(classify_status(reply_of(503, "", {{"x-should-retry", "false"}}), kNow).retry_soon);
  EXPECT_TRUE(classify_status(reply_of(503, "", {{"x-should-retry", "true"}}), kNow).retry_soon);
  EXPECT_EQ(classify_status(reply_of(401, "", {{"x-should-retry", "true"}}), kNow).what, FailureClass::kPermanent);
}

TEST(FailureTest, ReadsRetryAfterInAllItsForms) {
  const auto wait = [](std::vector<HttpHeader> headers) {
    return retry_after_ms(reply_of(429, "", std::move(headers)), kNow);
  };
  const std::int64_t month = 30LL * 24 * 3600 * 1000;
  EXPECT_EQ(wait({{"retry-after", "7"}}), 7'000);
  EXPECT_EQ(wait({{"retry-after", "0"}}), 0);
  EXPECT_EQ(wait({{"retry-after", "1.5"}}), 1'500);
  EXPECT_EQ(wait({{"retry-after", "0.0004"}}), 1);  // a minimum is rounded up
  EXPECT_EQ(wait({{"retry-after-ms", "250"}}), 250);
  EXPECT_EQ(wait({{"retry-after", "7"}, {"retry-after-ms", "250"}}), 250);
  EXPECT_EQ(wait({{"retry-after-ms", "soon"}, {"retry-after", "7"}}), 7'000);
  EXPECT_EQ(wait({{"retry-after", "Wed, 15 Jul 2026 00:02:00 GMT"}}), 120'000);
  EXPECT_EQ(wait({{"retry-after", "Tue, 14 Jul 2026 00:02:00 GMT"}}), 0);
  EXPECT_EQ(wait({{"retry-after", "Wednesday, 15-Jul-26 00:02:00 GMT"}}), 120'000);  // RFC 850
  EXPECT_EQ(wait({{"retry-after", "Thursday, 15-Jul-99 00:02:00 GMT"}}), 0);         // 1999
  EXPECT_EQ(wait({{"retry-after", "Wednesday, 15-Jul-70 00:02:00 GMT"}}), month);    // 2070
  EXPECT_EQ(wait({{"retry-after", "Wed Jul 15 00:02:00 2026"}}), 120'000);           // asctime()
  EXPECT_EQ(wait({{"retry-after", "Thu Jul  9 00:02:00 2026"}}), 0);
  EXPECT_EQ(wait({{"retry-after", "1e308"}}), month);
  EXPECT_EQ(wait({{"retry-after", "inf"}}), month);
  EXPECT_EQ(wait({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}}), month);
  for (const char* value : {"-5", "-1e308", "nan", "NaN", "", "soon", "7 s", "Wed, 15 Jul 2026 00:02:00 CET",
                            "Wed, 99 Jul 2026 00:02:00 GMT", "Wednesday, 15-Jul-26 00:02:00", "Wed Jul 15 00:02 2026",
                            "Wed Jul 15 00:02:00 2026 GMT"}) {
    EXPECT_EQ(wait({{"retry-after", value}}), std::nullopt) << value;
  }
  EXPECT_EQ(wait({}), std::nullopt);
}

TEST(FailureTest, KnowsWhatIsWrongForEveryRequestAlike) {
  const auto about = [](int status, int in_a_row = 1) {
    return is_about_annotator(classify_status(reply_of(status), kNow), in_a_row);
  };
  for (const int status : {301, 307, 401, 404, 407}) EXPECT_TRUE(about(status)) << status;
  for (const int status : {400, 413, 422, 429, 500}) EXPECT_FALSE(about(status, 100)) << status;
  EXPECT_FALSE(about(403, 4));
  EXPECT_TRUE(about(403, 5));
  EXPECT_TRUE(is_about_annotator(classify_http_failure({HttpFailureKind::kCertificate, false, 0, "x"}), 1));
  EXPECT_FALSE(is_about_annotator(classify_http_failure({HttpFailureKind::kConnect, false, 0, "x"}), 1));
}

TEST(FailureTest, TakesKeysOutOfTexts) {
  EXPECT_EQ(without_secret("Incorrect API key provided: sk-canary. sk-canary!", "sk-canary"),
            "Incorrect API key provided: [key]. [key]!");
  EXPECT_EQ(without_secret("text", ""), "text");
}

}  // namespace
}  // namespace cutd
