// A chat client against the double, with a ledger in memory as its sink.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "llm_api/chat_client.h"
#include "llm_api/http_support.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {

// A ledger in memory: what was admitted, what came back.
class RecordingSink : public ChatSink {
 public:
  std::vector<bool> before_send(std::span<const ChatAttempt> attempts) override {
    std::vector<bool> answers;
    at_once.push_back(attempts.size());
    for (const ChatAttempt& attempt : attempts) {
      answers.push_back(admitted < cap);
      if (answers.back()) {
        ++admitted;
        ++watched->in_flight;
        if (!rows.insert({attempt.request, attempt.number}).second) ++repeated_rows;
      }
    }
    ++watched->announcements;
    return answers;
  }
  void after_reply(ChatAttempt, const HttpReply& reply, const std::optional<ChatUsage>& usage) override {
    --watched->in_flight;
    ++replies;
    elapsed_ms.push_back(reply.elapsed_ms);
    seen += reply.body;
    if (usage) used += usage->input_tokens + usage->output_tokens;
  }
  void after_failure(ChatAttempt, const ApiFailure& failure) override {
    --watched->in_flight;
    seen += failure.message + failure.received;
    failures.push_back(failure_class_name(failure.what));
  }
  bool may_resend(ChatAttempt) override { return resend; }
  void finished(std::int64_t request, const ChatResult& result) override {
    ++ends[request];
    if (const auto* reply = std::get_if<ChatReply>(&result)) texts[request] = reply->text;
    if (const auto* failure = std::get_if<ApiFailure>(&result)) {
      gave_up[request] = failure_class_name(failure->what);
      seen += failure->message;
    }
    if (std::holds_alternative<ChatCapped>(result)) ++capped;
    if (on_end) on_end();
  }
  void health_changed(const ChatHealth& now) override { health.push_back(now); }
  void beat() override {
    ++watched->beats;
    if (on_beat) on_beat();
  }

  std::int64_t cap = 1'000'000;
  // Looked at by other threads, to see what the client has taken notice of.
  struct Watched {
    std::atomic<std::int64_t> announcements{0}, beats{0}, in_flight{0};
  };
  std::unique_ptr<Watched> watched = std::make_unique<Watched>();
  bool resend = false;
  std::function<void()> on_end, on_beat;
  std::int64_t admitted = 0, repeated_rows = 0, replies = 0, used = 0, capped = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> rows;
  std::vector<std::size_t> at_once;      // announced in one call
  std::vector<std::int64_t> elapsed_ms;  // of replies
  std::vector<ChatHealth> health;
  std::vector<std::string> failures;
  std::map<std::int64_t, int> ends;
  std::map<std::int64_t, std::string> texts, gave_up;
  std::string seen;
};

class ChatClientTest : public ::testing::Test {
 protected:
  void serve(const std::string& script) { server_.emplace(scripted_api(parse_json(script, "script"))); }

  std::optional<ApiFailure> judge(int count, std::stop_token stop = {}) {
    options_.endpoint.base_url = server_->url();
    options_.endpoint.key = "canary-key";
    options_.http = local_http();
    options_.http.first_byte_ms = first_byte_ms_;
    ChatClient client(options_, clock_);
    for (int i = 0; i < count; ++i) {
      ChatRequest chat;
      chat.model = "judge-1";
      chat.messages = {{"user", "Judge item " + std::to_string(i)}};
      client.submit(i, chat);
    }
    return client.run(stop, sink_);
  }

  void use_quick_retries() {
    options_.retry.first_ms = 1;
    options_.retry.cap_ms = 4;
    options_.retry.park_ms = 5;
    options_.retry.park_cap_ms = 20;
  }

  void expect_one_hit_per_row() {
    EXPECT_EQ(server_->counts().hits, sink_.admitted);
    EXPECT_EQ(sink_.repeated_rows, 0);
  }

  SystemClock clock_;
  ChatClientOptions options_;
  std::int64_t first_byte_ms_ = 10'000;
  RecordingSink sink_;
  std::optional<FakeLlmServer> server_;
};

}  // namespace cutd
