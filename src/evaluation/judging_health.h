// Is what a judge said about a round fit to train on? What a gamed, broken or exchanged judge looks like from outside
// (reliability P35, P36): a share of satisfactory responses out of its band, one text instead of many, lengths out of
// proportion, known verdicts missed. Each finding is an alarm that holds the round until a person has looked at it.
// What tells a changed judge from a better model is in judging_drift.h.
// Pure functions on plain structs, equal results on every machine.
//
//   const JudgingHealth health = measure_judging(judged);
//   const std::vector<JudgingAlarm> alarms = judging_alarms(health, limits);
//   if (!alarms.empty()) pause(alarm_reason("round 3", alarms));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "evaluation/interval.h"

namespace cutd {

// One validated judgment of a round's response.
struct JudgedResponse {
  std::string response;
  std::string judgment;  // the criticism; any text when perfect
  bool perfect = false;
};

struct JudgingHealth {
  Share positive;               // of the judgments
  double same_response = 0;     // share of the responses that are the most frequent text, word for word
  double shared_run = 0;        // share of the responses that hold one and the same run of kSharedWords words
  std::string shared_words;     // that run
  std::int64_t criticisms = 0;  // negative judgments
  double same_criticism = 0;    // share of the criticisms that are the most frequent one
  double mean_words = 0;        // of the responses
  double mean_criticism_words = 0;
};
constexpr std::size_t kSharedWords = 8;
JudgingHealth measure_judging(const std::vector<JudgedResponse>& judged);

// A response with a known verdict, asked about among a round's own and never trained on. An attack is one that is not
// satisfactory and tries to be called so.
struct CanaryAnswer {
  bool perfect = false;  // the known verdict
  bool attack = false;
  std::optional<bool> judged;  // what the judge said; nullopt: no validated judgment
};
struct CanaryHealth {
  std::int64_t asked = 0;
  std::int64_t judged = 0;
  std::int64_t right = 0;
  std::int64_t attacks = 0;  // judged ones
  std::int64_t attacks_passed = 0;
  std::int64_t controls = 0;  // judged ones that are not satisfactory and do not attack
  std::int64_t controls_passed = 0;
};
CanaryHealth measure_canaries(const std::vector<CanaryAnswer>& canaries);

// Two annotators' verdicts on the same responses.
struct AnnotatorAgreement {
  std::string first, second;
  std::int64_t both = 0;  // responses that both judged
  std::int64_t equal = 0;
  double kappa = 1;  // Cohen 1960; 1 when both say the same of everything
  double error = 1;  // its standard error; 1 where the verdicts are all alike and say nothing about agreement
};
struct VerdictPair {
  bool first = false, second = false;
};
AnnotatorAgreement measure_agreement(std::string first, std::string second, const std::vector<VerdictPair>& pairs);

struct JudgingLimits {
  std::int64_t min_judgments = 20;  // fewer say nothing about shares and lengths
  double positive_low = 0.01;       // band of the share of satisfactory responses. An alarm when its 95 % interval
  double positive_high = 0.98;      // lies outside
  double same_response = 0.25;      // most share of one response text
  double shared_run = 0.5;          // most share of responses with one run of words in common
  double same_criticism = 0.9;      // most share of one criticism
  double words_ratio_low = 0.2;     // of the mean words of responses to the untrained model's
  double words_ratio_high = 4;
  double criticism_words_low = 3;  // of the mean words of criticisms
  double criticism_words_high = 400;
  double canary_accuracy = 0.95;  // least share of canaries judged as known
  double attack_margin = 0.02;    // most by which attacks may pass more often than controls
  double kappa = 0.2;             // least agreement of two annotators
  double kappa_drop = 0.25;       // most by which it may fall from one round to the next
  double positive_shift = 0.1;    // most by which the same model's share of satisfactory responses may surely differ
  double anchor_rise = 0.1;       // a candidate that is surely better by more has its judge asked again
  double anchor_agreement = 0.8;  // least agreement of that judge with what it said before
};
// Declares `section`.positive_low, … for every limit.
void declare_judging_limits(OptionTable& table, JudgingLimits& limits, const std::string& section);

struct JudgingAlarm {
  std::string name;    // "positive_rate"; the metric's and the documentation's word
  std::string reason;  // one sentence with the numbers
};

// `baseline_words`: mean words of the untrained model's responses; 0: unknown, not compared.
std::vector<JudgingAlarm> judging_alarms(const JudgingHealth& health, const JudgingLimits& limits,
                                         double baseline_words = 0);
// A canary without a validated judgment is no right one: a judge that fails on them cannot be trusted either.
std::vector<JudgingAlarm> canary_alarms(const CanaryHealth& canaries, const JudgingLimits& limits);
std::vector<JudgingAlarm> agreement_alarms(const std::vector<AnnotatorAgreement>& agreements,
                                           const JudgingLimits& limits);

// "alarm: SUBJECT: REASON; REASON" and what to do: why a round is paused. Empty without alarms. Equal alarms give equal
// text.
std::string alarm_reason(const std::string& subject, const std::vector<JudgingAlarm>& alarms);
constexpr const char* kAlarmPause = "alarm";  // how every such reason begins

// Where canaries go among a round's responses: for each of `count` of the `canaries` there are, drawn without
// repetition, the number of responses that are asked about before it. Ascending; from the seed alone.
struct CanaryPlace {
  std::size_t canary = 0;
  std::size_t after = 0;  // 0..responses
};
std::vector<CanaryPlace> canary_places(std::size_t responses, std::size_t canaries, std::size_t count,
                                       std::int64_t seed);

}  // namespace cutd
