// The double's batch APIs: OpenAI's files and batches, Anthropic's message batches. Items are charged when the batch is
// created, whatever becomes of the answer; results come in another order than the items.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "support/fake_llm/fake_wire.h"

namespace cutd {

// The body of a chat reply to the body of a chat request.
using FakeChat = std::function<Json(const Json& params, bool anthropic)>;

// One thread, as the server's.
class FakeBatches {
 public:
  // A batch ends at the `polls`-th time that it is asked for or listed; each `expire_every`-th item is never run (0:
  // all are).
  FakeBatches(FakeChat chat, std::int64_t polls, std::int64_t expire_every)
      : chat_(std::move(chat)), polls_(polls), expire_every_(expire_every) {}

  // nullopt: the request is about no batch.
  std::optional<FakeReply> answer(const FakeRequest& request);

 private:
  struct Item {
    std::string custom_id;
    Json params;
  };
  struct One {
    std::string id;
    bool anthropic = false;
    Json metadata;
    std::vector<Item> items;
    std::int64_t asked = 0;
  };

  FakeReply upload(const FakeRequest& request);
  FakeReply create(const FakeRequest& request, bool anthropic);
  FakeReply list(bool anthropic);
  FakeReply get(const std::string& id);
  FakeReply results(const std::string& id) const;
  bool ended(const One& batch) const { return batch.asked >= polls_; }
  bool expired(std::size_t index) const {
    return expire_every_ > 0 && (index + 1) % static_cast<std::size_t>(expire_every_) == 0;
  }
  Json view(const One& batch) const;
  Json openai_line(const Item& item, bool expired) const;
  Json anthropic_line(const Item& item, bool expired) const;
  const One* find(const std::string& id) const;

  const FakeChat chat_;
  const std::int64_t polls_;
  const std::int64_t expire_every_;
  std::map<std::string, std::string> files_;
  std::vector<One> batches_;
};

}  // namespace cutd
