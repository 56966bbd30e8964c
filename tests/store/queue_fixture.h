// A round whose responses wait for people, and what people do, so that a test reads as a story.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/queue_lease.h"
#include "store/queue_rules.h"
#include "store/queue_views.h"
#include "store/queue_work.h"
#include "store/store_fixture.h"

namespace cutd {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kLeaseMs = 20 * kMinute;
constexpr std::int64_t kLongestMs = 120 * kMinute;

class QueueTest : public StoreTest {
 protected:
  QueueTest() {
    write([&](Writer& writer) { begin_queues(writer, {"boot-1", now_}); });
  }

  UserId person(const std::string& name, const std::string& tags = "[]") {
    return write([&](Writer& writer) {
      writer.database().run("INSERT INTO user (name, role, tags, created_at) VALUES (?, 'annotator', ?, 0)", name,
                            tags);
      return UserId{writer.database().last_row_id()};
    });
  }
  std::vector<UserId> people(int count) {
    std::vector<UserId> list;
    for (int i = 0; i < count; ++i) list.push_back(person("person" + std::to_string(i)));
    return list;
  }

  // A round with `items` responses, put before people.
  Queue open_queue(int items, const QueueSettings& changes = {}) {
    settings_ = changes;
    if (settings_.lease_ms == 0) settings_.lease_ms = kLeaseMs;
    if (settings_.longest_lease_ms == 0) settings_.longest_lease_ms = kLongestMs;
    settings_.guideline = kHash;
    std::vector<std::string> texts;
    for (int i = 0; i < items; ++i) texts.push_back("instruction " + std::to_string(i));
    import(Split::kTrain, texts);
    round_ = new_round(new_run(texts));
    for (const UnitId unit : plan(round_, Split::kTrain, {texts})) answer(unit);
    bring_to(round_, Phase::kJudging);
    annotator_ = write([&](Writer& writer) {
      const AnnotatorId id = ensure_annotator(writer, {"people", "v1", "human", Json::object()});
      request_judgments(writer, round_, id);
      return id;
    });
    fill();
    return queue();
  }
  std::size_t fill() {
    return write([&](Writer& writer) {
      return fill_queues(
                 writer, [&](const Annotator&) { return settings_; }, now_)
          .size();
    });
  }
  Queue queue() {
    return read([&](Reader& reader) { return find_queue(reader, round_, annotator_); }).value();
  }
  QueueCounts counts() {
    return read([&](Reader& reader) { return count_queue(reader, queue().id, now_); });
  }
  std::vector<Judgment> judgments() {
    return read([&](Reader& reader) { return list_judgments(reader, round_, annotator_); });
  }
  std::vector<QueueTask> tasks() {
    return read([&](Reader& reader) { return list_queue_tasks(reader, queue().id); });
  }

  ClaimResult claim(UserId user, std::optional<std::string> item = {}, double draw = 1) {
    return write([&](Writer& writer) { return claim_task(writer, {user, now_, item, draw}); });
  }
  LeasedItem take(UserId user) { return claim(user).item.value(); }
  LeaseRef lease(UserId user, const LeasedItem& item) const { return {user, item.token, now_}; }
  SubmitResult submit(UserId user, const LeasedItem& item, JudgmentLabel label = JudgmentLabel::kNegative,
                      const std::string& text = "It is too long.") {
    return write([&](Writer& writer) { return submit_judgment(writer, lease(user, item), {label, text, 4.5}); });
  }
  void skip(UserId user, const LeasedItem& item) {
    write([&](Writer& writer) { skip_task(writer, lease(user, item), "not my field"); });
  }
  void release(UserId user, const LeasedItem& item) {
    write([&](Writer& writer) { release_task(writer, lease(user, item)); });
  }
  SavedDraft draft(UserId user, const LeasedItem& item, const std::string& text) {
    return write([&](Writer& writer) { return save_draft(writer, lease(user, item), {std::nullopt, text, 0}); });
  }
  bool sweep() {
    return write([&](Writer& writer) { return sweep_queues(writer, now_); });
  }
  void close() {
    write([&](Writer& writer) { close_queue(writer, queue().id, now_); });
  }

  std::int64_t now_ = 1'000'000;  // boot clock
  QueueSettings settings_;
  RoundId round_;
  AnnotatorId annotator_;
};

}  // namespace cutd
