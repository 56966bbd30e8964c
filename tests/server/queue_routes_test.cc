#include "server/queue_routes.h"

#include <algorithm>
#include <random>
#include <set>
#include <thread>

#include "core/sanitized.h"
#include "round/people.h"
#include "store/queue_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class QueueRoutesTest : public QueueTest {
 protected:
  QueueRoutesTest() {
    add_annotator_routes(router_, {store(), boot_, rate_});
    add_queue_operator_routes(router_, {store(), boot_, rate_});
    now_ = boot_.boot_millis();
    write([&](Writer& writer) { begin_queues(writer, {"boot-1", now_}); });
  }

  Reply ask(const std::string& method, const std::string& target, const Json& body, Role role,
            std::optional<UserId> user = {}) {
    Request request;
    request.method = method;
    parse_target(target, request);
    if (!body.is_null()) request.body = to_json_text(body);
    request.principal = Principal{role, user, "", 0, false};
    return router_.handle(std::move(request), log_);
  }
  Reply as(UserId user, const std::string& method, const std::string& target, const Json& body = nullptr) {
    return ask(method, "/api/v1/queue/" + target, body, Role::kAnnotator, user);
  }
  Json ok(const Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Json::parse(reply.body);
  }
  Json operator_asks(const std::string& method, const std::string& target, const Json& body = nullptr) {
    return ok(ask(method, "/api/v1/queue/" + target, body, Role::kOperator));
  }
  Json claim_json(UserId user) { return ok(as(user, "POST", "claim", Json::object())).at("task"); }
  Reply submit_json(UserId user, const std::string& lease, const std::string& label, const std::string& text) {
    return as(user, "POST", "leases/" + lease + "/submit", {{"label", label}, {"text", text}, {"seconds_spent", 3}});
  }
  std::string lease_of(const Json& task) { return task.at("lease").get<std::string>(); }

  SystemClock boot_;
  ClaimRate rate_{200, 0};
  Router router_;
};

TEST_F(QueueRoutesTest, LeadsAPersonFromAClaimToACountedJudgment) {
  open_queue(1);
  const UserId a = person("a");
  EXPECT_EQ(ok(as(a, "GET", "progress")).at("available"), 1);
  const Json task = claim_json(a);
  EXPECT_EQ(task.at("response").at("text"), "answer 1");
  EXPECT_GT(task.at("seconds_left").get<int>(), 1000);
  const std::string lease = lease_of(task);
  ok(as(a, "POST", "leases/" + lease + "/renew"));
  ok(as(a, "PUT", "leases/" + lease + "/draft", {{"label", nullptr}, {"text", "Too"}}));
  EXPECT_EQ(ok(as(a, "GET", "items?view=draft")).at("items").at(0).at("draft").at("text"), "Too");
  EXPECT_EQ(ok(submit_json(a, lease, "negative", "Too long.")).at("state"), "counted");
  EXPECT_EQ(ok(as(a, "GET", "items?view=submitted")).at("items").at(0).at("submitted").at("text"), "Too long.");
  EXPECT_EQ(ok(as(a, "POST", "claim", Json::object())).at("why"), "empty");
  EXPECT_EQ(judgments()[0].text, "Too long.");
}

TEST_F(QueueRoutesTest, CountsAHundredParallelSubmissionsOnce) {
  open_queue(2);
  const UserId a = person("a");
  const std::string lease = lease_of(claim_json(a));
  std::vector<std::string> bodies(100);
  std::vector<std::thread> threads;
  for (int t = 0; t < 10; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t * 10; i < t * 10 + 10; ++i) {
        const Reply reply = submit_json(a, lease, "negative", "Too long.");
        bodies[i] = reply.status == 200 ? reply.body : "refused " + reply.body;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(bodies.begin(), bodies.end()).size(), 1u);
  EXPECT_THAT(bodies[0], HasSubstr("counted"));
  EXPECT_EQ(counts().submitted, 1);
  EXPECT_EQ(read([](Reader& reader) { return reader.database().integer("SELECT count(*) FROM lease"); }), 1);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueRoutesTest, AnswersAnothersLeaseAsOneThatNeverWas) {
  open_queue(2);
  const UserId a = person("a"), b = person("b");
  const std::string lease = lease_of(claim_json(a));
  const Reply stolen = submit_json(b, lease, "negative", "Mine.");
  const Reply invented = submit_json(b, std::string(32, '7'), "negative", "Mine.");
  EXPECT_EQ(stolen.status, 404);
  EXPECT_EQ(stolen.body, invented.body);
  EXPECT_EQ(as(b, "GET", "items/" + std::string(32, '7')).status, 404);
}

TEST_F(QueueRoutesTest, RefusesAJudgmentWithAWordAboutWhatToChange) {
  open_queue(1);
  const UserId a = person("a");
  const std::string lease = lease_of(claim_json(a));
  const Reply empty = submit_json(a, lease, "negative", "  ");
  EXPECT_EQ(empty.status, 400);
  EXPECT_THAT(empty.body, HasSubstr("what is wrong"));
  EXPECT_THAT(submit_json(a, lease, "negative", "### Judgment: none").body, HasSubstr("heading"));
  EXPECT_THAT(submit_json(a, lease, "positive", "It is bad.").body, HasSubstr("not satisfactory"));
  EXPECT_EQ(ok(submit_json(a, lease, "positive", "")).at("state"), "counted");
  EXPECT_EQ(judgments()[0].text, "Perfect.");
}

TEST_F(QueueRoutesTest, WantsAnAccount) {
  open_queue(1);
  EXPECT_EQ(ask("POST", "/api/v1/queue/claim", Json::object(), Role::kOperator).status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/queue/claim", Json::object(), Role::kViewer, person("v")).status, 403);
}

TEST_F(QueueRoutesTest, StopsWhoClaimsWithoutEnd) {
  open_queue(1);
  const UserId a = person("a");
  Reply last;
  for (int i = 0; i < 300 && last.status != 429; ++i) last = as(a, "POST", "claim", Json::object());
  EXPECT_EQ(last.status, 429);
  EXPECT_THAT(last.body, HasSubstr("too_many"));
}

TEST_F(QueueRoutesTest, ShowsOperatorsWhatWaitsAndWhoDidWhat) {
  open_queue(2, {.overlap = 2});
  const UserId a = person("a"), b = person("b");
  for (int i = 0; i < 2; ++i) ok(submit_json(a, lease_of(claim_json(a)), "negative", "Too long."));
  for (int i = 0; i < 2; ++i)
    ok(submit_json(b, lease_of(claim_json(b)), i == 0 ? "positive" : "negative", i == 0 ? "" : "Dry."));
  const Json rounds = operator_asks("GET", "rounds");
  const Json& round = rounds.at("rounds").at(0);
  EXPECT_EQ(round.at("round"), round_.value);
  EXPECT_EQ(round.at("counts").at("submitted"), 4);
  EXPECT_EQ(round.at("counts").at("needs_review"), 1);  // a draw
  EXPECT_NEAR(round.at("alpha").get<double>(), 0.0, 1e-9);
  const Json people = operator_asks("GET", "people?round=" + std::to_string(round_.value)).at("people");
  EXPECT_EQ(people.at(0).at("name"), "a");
  EXPECT_EQ(people.at(1).at("median_seconds"), 3.0);
  const Json review = operator_asks("GET", "review").at("items").at(0);
  EXPECT_THAT(review.at("reasons").at(0).get<std::string>(), HasSubstr("disagree"));
  operator_asks("POST", "review/" + review.at("item").get<std::string>() + "/settle",
                {{"label", "negative"}, {"text", "It is dry."}});
  EXPECT_EQ(operator_asks("GET", "rounds").at("counts").at("needs_review"), 0);
}

TEST_F(QueueRoutesTest, SaysWhenTwoPeopleWhoAgreeOnEverythingDisagreeWithTheThird) {
  open_queue(24, {.overlap = 3});
  const std::vector<UserId> who = people(3);  // the first two collude: all is well, they say
  bool low = false;
  for (int i = 0; i < 24; ++i) {
    for (std::size_t j = 0; j < who.size(); ++j) {
      const Json task = claim_json(who[j]);
      const bool well = j < 2 || task.at("response").at("text").get<std::string>().back() % 2 == 0;
      ok(submit_json(who[j], lease_of(task), well ? "positive" : "negative", well ? "" : "Too long."));
    }
    if (i == 18) low = operator_asks("GET", "rounds").at("rounds").at(0).at("low_agreement").get<bool>();
  }
  EXPECT_FALSE(low);  // nineteen items say too little
  EXPECT_TRUE(operator_asks("GET", "rounds").at("rounds").at(0).at("low_agreement").get<bool>());
}

TEST_F(QueueRoutesTest, ReadsTheVotesOfAQueueAnewOnlyWhenTheyChange) {
  open_queue(2, {.overlap = 2});
  const UserId a = person("a"), b = person("b");
  const auto judge = [&](UserId user, const char* label) {
    ok(submit_json(user, lease_of(claim_json(user)), label, label[0] == 'p' ? "" : "Dry."));
  };
  const auto alpha = [&] { return operator_asks("GET", "rounds").at("rounds").at(0).at("alpha"); };
  judge(a, "negative");
  judge(b, "positive");
  const Json before = alpha();
  execute("DROP TRIGGER lease_keeps_its_text");
  execute("UPDATE lease SET label = 'positive' WHERE label = 'negative'");  // behind the counters' back
  EXPECT_EQ(alpha(), before);
  judge(a, "positive");
  judge(b, "positive");
  EXPECT_NE(alpha(), before);
}

TEST_F(QueueRoutesTest, MovesItsWorkToAnotherToolAndBack) {
  open_queue(2);
  const UserId a = person("a");
  ok(submit_json(a, lease_of(claim_json(a)), "negative", "Too long."));
  const std::string round = std::to_string(round_.value);
  for (const std::string format : {"argilla", "label-studio"}) {
    Json records = operator_asks("GET", "export?format=" + format + "&round=" + round);
    ASSERT_EQ(records.size(), 2u);
    const Json again =
        operator_asks("POST", "import", {{"format", format}, {"round", round_.value}, {"records", records}});
    EXPECT_EQ(again, (Json{{"added", 0}, {"known", 1}, {"unmatched", 0}}));
  }
  // Somebody judges the other one there.
  Json records = operator_asks("GET", "export?format=argilla&round=" + round);
  for (Json& record : records) {
    if (!record.at("responses").empty()) continue;
    record["responses"] =
        Json::array({{{"user_id", "8c"}, {"status", "submitted"}, {"values", {{"label", {{"value", "positive"}}}}}}});
  }
  const Json added =
      operator_asks("POST", "import", {{"format", "argilla"}, {"round", round_.value}, {"records", records}});
  EXPECT_EQ(added.at("added"), 1);
  EXPECT_EQ(counts().submitted, 2);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueRoutesTest, ClosesARoundForAnOperator) {
  open_queue(2);
  const Json queue = operator_asks("POST", "rounds/" + std::to_string(round_.value) + "/close", Json::object());
  EXPECT_EQ(queue.at("state"), "closed");
  EXPECT_EQ(ask("POST", "/api/v1/queue/rounds/99/close", Json::object(), Role::kOperator).status, 404);
  EXPECT_EQ(as(person("a"), "POST", "rounds/1/close", Json::object()).status, 403);
}

// Keys, types and lengths; of the texts, which are the item itself, nothing.
Json shape_of(const Json& value, const std::string& key = "") {
  if (value.is_object()) {
    Json shape = Json::object();
    for (const auto& [name, member] : value.items()) shape[name] = shape_of(member, name);
    return shape;
  }
  if (value.is_array()) {
    Json shape = Json::array();
    for (const Json& member : value) shape.push_back(shape_of(member, key));
    return shape;
  }
  if (value.is_string())
    return key == "text" || key == "instruction" || key == "input" ? 0 : value.get<std::string>().size();
  return value.type_name();
}

TEST_F(QueueRoutesTest, AnswersAboutAGoldItemAsAboutAnyOther) {
  constexpr int kItems = 60;
  open_queue(kItems, {.gold_share = 0.5});
  const UserId reader = person("reader");
  write([&](Writer& writer) {
    std::vector<GoldItem> gold;
    for (int i = 0; i < kItems; ++i)
      gold.push_back({"gold " + std::to_string(i), "", "gold " + std::to_string(i), JudgmentLabel::kNegative, Json()});
    add_gold(writer, annotator_, gold);
  });
  std::set<std::pair<bool, std::string>> seen;
  for (int i = 0; i < kItems; ++i) {
    const Reply claimed = as(reader, "POST", "claim", Json::object());
    const Json task = ok(claimed).at("task");
    const bool is_gold = task.at("response").at("text").get<std::string>().starts_with("gold");
    const std::string lease = lease_of(task);
    const std::vector<Reply> replies = {
        claimed, as(reader, "POST", "leases/" + lease + "/renew"),
        as(reader, "PUT", "leases/" + lease + "/draft", {{"label", nullptr}, {"text", "N"}}),
        submit_json(reader, lease, "negative", "No.")};
    std::string shape;
    for (const Reply& reply : replies) {
      shape += std::to_string(reply.status) + reply.content_type + std::to_string(reply.headers.size());
      if (!reply.body.empty()) shape += to_json_text(shape_of(Json::parse(reply.body)));
    }
    seen.emplace(is_gold, shape);
  }
  ASSERT_EQ(seen.size(), 2u);  // one of each kind
  EXPECT_EQ(seen.begin()->second, seen.rbegin()->second);
  EXPECT_NE(seen.begin()->first, seen.rbegin()->first);
}

// What tells a gold item from another must not be in what is sent, nor in when it comes.
class GoldMetadataTest : public QueueTest {
 protected:
  struct Seen {
    std::vector<double> features;
    bool gold = false;
  };

  std::vector<Seen> collect(int items, bool leak) {
    open_queue(items, {.gold_share = 0.5});
    const UserId reader = person("reader");
    return write([&](Writer& writer) {
      std::vector<GoldItem> gold;
      for (int i = 0; i < items; ++i)
        gold.push_back(
            {"instruction " + std::to_string(i), "", "gold " + std::to_string(i), JudgmentLabel::kNegative, Json()});
      add_gold(writer, annotator_, gold);
      std::vector<Seen> seen;
      std::mt19937 random(11);
      for (int i = 0; i < items; ++i) {
        const double draw = std::uniform_real_distribution<double>(0, 1)(random);
        const LeasedItem item = claim_task(writer, {reader, now_, {}, draw}).item.value();
        seen.push_back({features_of(item, i), item.response.starts_with("gold")});
        if (leak) seen.back().features.push_back(seen.back().gold ? 1 : 0);
        submit_judgment(writer, {reader, item.token, now_}, {JudgmentLabel::kNegative, "No.", {}});
        now_ += 5000;
      }
      return seen;
    });
  }

  static std::vector<double> features_of(const LeasedItem& item, int number) {
    std::vector<double> features;
    for (const std::string& text : {item.item, item.token}) {
      features.push_back(static_cast<double>(text.size()));
      for (int i = 0; i < 8; ++i) features.push_back(std::stoi(text.substr(i, 1), nullptr, 16));
    }
    features.push_back(static_cast<double>(item.left_ms));
    features.push_back(static_cast<double>(item.longest_left_ms));
    features.push_back(item.draft ? 1 : 0);
    features.push_back(item.suggestion ? 1 : 0);
    features.push_back(static_cast<double>(item.guideline.size()));
    for (const int period : {2, 3, 5, 7, 10}) features.push_back(number % period);
    return features;
  }

  // The best single threshold on the first half, and how often it is right on the second.
  static double accuracy(const std::vector<Seen>& seen) {
    const std::size_t half = seen.size() / 2;
    const auto right = [&](std::size_t from, std::size_t to, std::size_t feature, double cut, bool flip) {
      std::size_t count = 0;
      for (std::size_t i = from; i < to; ++i)
        count += ((seen[i].features[feature] > cut) != flip) == seen[i].gold ? 1 : 0;
      return static_cast<double>(count) / static_cast<double>(to - from);
    };
    double best = 0, result = 0;
    for (std::size_t feature = 0; feature < seen[0].features.size(); ++feature) {
      std::set<double> cuts;
      for (std::size_t i = 0; i < half; ++i) cuts.insert(seen[i].features[feature]);
      for (const double cut : cuts) {
        for (const bool flip : {false, true}) {
          const double trained = right(0, half, feature, cut, flip);
          if (trained <= best) continue;
          best = trained;
          result = right(half, seen.size(), feature, cut, flip);
        }
      }
    }
    return result;
  }
};

TEST_F(GoldMetadataTest, TellsNoGoldItemFromAnother) {
  if (kSanitized) GTEST_SKIP() << "3,000 items for a figure; WouldSeeALeak goes the same way with 200";
  const std::vector<Seen> seen = collect(3000, false);
  const auto gold = std::count_if(seen.begin(), seen.end(), [](const Seen& one) { return one.gold; });
  EXPECT_NEAR(static_cast<double>(gold), 1500, 150);
  EXPECT_LE(accuracy(seen), 0.55);
}

TEST_F(GoldMetadataTest, WouldSeeALeak) { EXPECT_GT(accuracy(collect(200, true)), 0.95); }

}  // namespace
}  // namespace cutd
