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

struct FakeBatchOptions {
  std::int64_t polls = 1;         // a batch ends at the so-many-th time that it is asked for or listed
  std::int64_t expire_every = 0;  // each so-many-th item is never run; 0: all are
  std::string results_url;        // Anthropic: begins the results_url of batches; empty: as the request came
};

// One thread, as the server's.
class FakeBatches {
 public:
  FakeBatches(FakeChat chat, FakeBatchOptions options) : chat_(std::move(chat)), options_(std::move(options)) {}

  // nullopt: the request is about no batch.
  std::optional<FakeReply> answer(const FakeRequest& request);

 private:
  struct Item {
    std::string custom_id;
    Json params;
  };
  struct File {
    std::string name;
    std::string content;
  };
  struct One {
    std::string id;
    bool anthropic = false;
    Json metadata;
    std::string input_file;  // OpenAI
    std::string results_url;
    std::int64_t created_at = 0;  // wall-clock microseconds
    std::vector<Item> items;
    std::int64_t asked = 0;
  };

  FakeReply about_files(const FakeRequest& request, const std::string& path);
  FakeReply upload(const FakeRequest& request);
  FakeReply create(const FakeRequest& request, bool anthropic);
  FakeReply list(bool anthropic);
  FakeReply get(const FakeRequest& request, const std::string& id);
  // The lines of the items that were run, that were not, or of both.
  FakeReply results(const FakeRequest& request, const std::string& id, bool run, bool expired) const;
  bool ended(const One& batch) const { return batch.asked >= options_.polls; }
  bool expired(std::size_t index) const {
    return options_.expire_every > 0 && (index + 1) % static_cast<std::size_t>(options_.expire_every) == 0;
  }
  std::int64_t count_expired(const One& batch) const;
  Json view(const One& batch) const;
  Json openai_view(const One& batch) const;
  Json anthropic_view(const One& batch) const;
  Json openai_line(const Item& item, bool expired) const;
  Json anthropic_line(const Item& item, bool expired) const;
  const One* find(const std::string& id) const;

  const FakeChat chat_;
  const FakeBatchOptions options_;
  std::map<std::string, File> files_;
  std::vector<One> batches_;
};

}  // namespace cutd
