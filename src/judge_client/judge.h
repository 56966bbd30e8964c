// A judge reads a response and says in words what is wrong with it. Every kind of annotator that works
// by itself (rules now; paid models later) is a Judge; people are annotators without one.
//
// Judges take values and give values: they know the sink, never the store. The sink is implemented in
// round/judge_sink.h. A failure is a state of the request, never a label (reliability P16).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "core/json.h"

namespace cutd {

// Chosen by the caller, unique among the requests of one judge.
struct RequestId {
  std::int64_t value = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the defaulted comparison's 0 for a pointer
  auto operator<=>(const RequestId&) const = default;
};

// The `number`-th try (from 1) of one request; at most one message on the wire (reliability P3).
struct AttemptId {
  RequestId request;
  std::int64_t number = 1;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the defaulted comparison's 0 for a pointer
  auto operator<=>(const AttemptId&) const = default;
};

struct JudgeRequest {
  RequestId id;
  std::string instruction;  // the instruction, its input after a line feed when it has one
  std::string response;
  bool ended = true;           // the model ended the response by itself; false: cut at the token limit
  std::string reference = "";  // a good answer to compare with; empty: none is known
};

// Announced before anything is sent, so that its cost can be reserved first. Money is micro-dollars.
struct AttemptIntent {
  AttemptId id;
  std::int64_t reserved_cost = 0;
};

// What came back, byte for byte, so that it can be parsed again without being paid for again.
struct RawReply {
  std::string bytes;
  std::string content_type = "text/plain; charset=utf-8";
  int status = 200;         // HTTP
  std::int64_t number = 1;  // of the try that it answers
};

struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cost = 0;  // micro-dollars
};

// A validated judgment: only this becomes a label.
struct Verdict {
  bool perfect = false;
  std::string text;  // the criticism; "Perfect." when there is none
};

enum class JudgeFailureKind {
  kUnusable,   // the reply came but is no judgment: empty, cut, refused, not parsed
  kPermanent,  // asking again the same way cannot help
  kRetryable,  // the judge could not be reached, or asked to come back later
  kCapped,     // before_send refused it: a spending cap is reached
  kUnknown,    // its answer was lost and may have been charged; the policy forbids asking again
};

struct JudgeFailure {
  JudgeFailureKind kind = JudgeFailureKind::kUnusable;
  std::string reason;
};

// An attempt without a reply.
struct AttemptFailure {
  bool charged_perhaps = false;  // the server may have acted; false: certainly nothing was charged
  int status = 0;                // HTTP; 0: none came
  std::string reason;
  std::string raw = "";  // what came all the same: the beginning of a reply that broke off, or one that cannot be read
};

using JudgeOutcome = std::variant<Verdict, JudgeFailure>;

// A batch of requests at a provider that is not settled yet.
struct OpenBatch {
  std::string name;
  std::string provider_id;      // empty: its creation was not answered, so it may exist there or not
  std::int64_t created_at = 0;  // wall-clock microseconds
  std::vector<AttemptId> attempts;
};

// How whom a judge asks is doing.
struct JudgeHealth {
  bool answers = true;
  std::string message;            // why not, and what to do
  std::int64_t try_every_ms = 0;  // how often it is asked meanwhile
};

// Called from the thread inside Judge::run. What it throws ends that run and passes through.
class JudgeSink {
 public:
  virtual ~JudgeSink() = default;
  // Returns once every intent is durable (one commit for many). One answer per intent, in order:
  // false means that a cap is reached and nothing may be sent for it.
  virtual std::vector<bool> before_send(std::span<const AttemptIntent> intents) = 0;
  // The reply of an admitted attempt, before it is parsed. nullopt: it does not say what it used.
  virtual void after_reply(AttemptId attempt, const RawReply& reply, const std::optional<Usage>& usage) = 0;
  virtual void after_failure(AttemptId attempt, const AttemptFailure& failure) = 0;
  // Whether a request may be sent again whose last attempt's outcome is unknown.
  virtual bool may_resend(AttemptId attempt) = 0;
  // The judge ends early, and asking on would be wrong until a person has acted: credit is used up, say.
  virtual void halted(const std::string& reason) = 0;
  // Exactly once per request that was worked on to its end.
  virtual void finished(RequestId request, const JudgeOutcome& outcome) = 0;
  // Who is asked stopped answering, or answers again; requests wait meanwhile.
  virtual void health_changed(const JudgeHealth&) {}
  // About once a second, from judges that wait for others; what is submitted here is worked on in this run.
  virtual void beat() {}

  // Batches, for judges that send them; each returns once it is durable. before_batch() is before_send() for what shall
  // travel in one batch. A batch stays open over restarts until batch_ended(): with `failure` it never came to be, and
  // what it still holds was not charged.
  virtual std::vector<bool> before_batch(const std::string& name, std::span<const AttemptIntent> intents);
  virtual void batch_created(const std::string& name, const std::string& provider_id);
  virtual void batch_ended(const std::string& name, const std::string& failure);
  virtual std::vector<OpenBatch> open_batches();
};

class Judge {
 public:
  virtual ~Judge() = default;
  // Queues a request. Any thread, also while run() works.
  virtual void submit(JudgeRequest request) = 0;
  // Works until everything submitted is finished, or until `stop`: then what is left is dropped without
  // a report and is submitted anew later. A judge that sends batches returns when there is nothing to do before its
  // next look at them. One thread at a time.
  virtual void run(std::stop_token stop, JudgeSink& sink) = 0;
  // What it must remember over a restart (how much of a rate limit is used), or null. Inside the sink's calls, or when
  // run() does not work.
  virtual Json save_state() const { return nullptr; }
  virtual void restore_state(const Json&) {}
  // What a reply says that was paid for and stored in an earlier life, read again without asking. nullopt: this judge
  // does not keep its replies apart from its judgments, or the request is to be made again.
  virtual std::optional<JudgeOutcome> read_stored(const JudgeRequest&, const RawReply&) const { return std::nullopt; }
};

// Lower-case name of a failure kind, as the store and JSON have it ("unusable").
const char* judge_failure_name(JudgeFailureKind kind);

}  // namespace cutd
