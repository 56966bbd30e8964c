#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/output.h"
#include "judge_client/llm_annotator.h"
#include "round/judge_estimate.h"
#include "round/judge_trial.h"
#include "store/attempts.h"
#include "store/store.h"

namespace cutd {
namespace {

constexpr int kPage = 200;

struct LedgerOptions {
  std::string data_dir;
  std::int64_t run = 0;
  std::int64_t entries = 20;
  std::string annotator;
  std::optional<double> request, round, day, total;  // dollars
  bool json = false;
};

struct AttemptOptions {
  std::string data_dir;
  std::string state = "unknown";
  std::int64_t id = 0;
  bool charged = false;
  bool not_charged = false;
  bool resend = false;
  bool json = false;
};

std::string amount(const Json& micros) { return micros.is_null() ? "-" : dollars_text(micros.get<std::int64_t>()); }

// Every page of a list that ends with "next".
Json all_pages(ApiClient& api, const std::string& target, const char* list, std::int64_t most) {
  Json rows = Json::array();
  std::string cursor;
  for (;;) {
    const Json page = api.get(target + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const Json& row : page.at(list)) {
      if (most > 0 && static_cast<std::int64_t>(rows.size()) == most) return rows;
      rows.push_back(row);
    }
    if (page.at("next").is_null()) return rows;
    cursor = page.at("next").get<std::string>();
  }
}

// --- ledger ------------------------------------------------------------------------------------------

Json trials_json(const TrialSpending& trials) {
  return {{"requests", trials.requests}, {"spent", trials.spent}, {"unknown", trials.unknown}};
}

void print_ledger(const Json& balances, const Json& entries, const TrialSpending& trials) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : balances) {
    rows.push_back({cell(one.at("annotator")), cell(one.at("scope")), amount(one.at("spent")),
                    amount(one.at("reserved")), amount(one.at("cap"))});
  }
  print_text(table_text({"annotator", "scope", "spent", "reserved", "cap"}, rows));
  if (trials.requests > 0) {
    fmt::print("trials (cutd judge test): {} requests, {}, of which {} for lost answers\n", trials.requests,
               dollars_text(trials.spent), dollars_text(trials.unknown));
  }
  if (entries.empty()) return;
  std::vector<std::vector<std::string>> movements;
  for (const Json& entry : entries) {
    movements.push_back({cell(entry.at("id")), cell(entry.at("at")), cell(entry.at("kind")), amount(entry.at("amount")),
                         cell(entry.at("run")), cell(entry.at("round")), cell(entry.at("note"))});
  }
  print_text("\n" + table_text({"id", "at", "kind", "amount", "run", "round", "note"}, movements));
}

int show_ledger(const LedgerOptions& options) {
  ApiClient api(options.data_dir);
  const std::string query =
      fmt::format("/api/v1/ledger?limit={}{}", kPage, options.run > 0 ? fmt::format("&run={}", options.run) : "");
  const Json balances = api.get(query).at("balances");
  const Json entries = options.entries == 0 ? Json::array() : all_pages(api, query, "entries", options.entries);
  const TrialSpending trials = trial_spending(options.data_dir);
  if (options.json) print_json({{"balances", balances}, {"entries", entries}, {"trials", trials_json(trials)}});
  else print_ledger(balances, entries, trials);
  return kExitDone;
}

int set_caps(const LedgerOptions& options) {
  Json body = {{"annotator", options.annotator}};
  const std::pair<const char*, const std::optional<double>*> given[] = {
      {"request", &options.request}, {"round", &options.round}, {"day", &options.day}, {"total", &options.total}};
  for (const auto& [key, dollars] : given) {
    if (*dollars) body[key] = micros_of(**dollars);
  }
  const Json caps = ApiClient(options.data_dir).post("/api/v1/ledger/caps", body);
  if (options.json) {
    print_json(caps);
    return kExitDone;
  }
  fmt::print(
      "{} may cost {} a request, {} a round, {} a day, {} in all; a run that paused for it goes on with: cutd run "
      "resume RUN\n",
      options.annotator, amount(caps.at("request")), amount(caps.at("round")), amount(caps.at("day")),
      amount(caps.at("total")));
  return kExitDone;
}

// --- attempts ----------------------------------------------------------------------------------------

int list_attempts(const AttemptOptions& options) {
  ApiClient api(options.data_dir);
  const std::string state = options.state == "all" ? "" : "&state=" + options.state;
  const Json attempts = all_pages(api, fmt::format("/api/v1/attempts?limit={}{}", kPage, state), "attempts", 0);
  if (options.json) {
    print_json(attempts);
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : attempts) {
    rows.push_back({cell(one.at("id")), cell(one.at("judgment")), cell(one.at("number")), cell(one.at("annotator")),
                    cell(one.at("state")), cell(one.at("resolution")), amount(one.at("reserved")),
                    amount(one.at("settled")), cell(one.at("created_at")), cell(one.at("reason"))});
  }
  print_text(table_text(
      {"id", "judgment", "try", "annotator", "state", "resolved", "reserved", "settled", "sent", "reason"}, rows));
  return kExitDone;
}

// From the folder, which needs no daemon: the bytes are for people who look for a fault.
int show_attempt(const AttemptOptions& options) {
  const std::filesystem::path data_dir = options.data_dir;
  const auto raw =
      StoreReader(data_dir).read([&](Reader& reader) { return find_attempt_raw(reader, AttemptRowId{options.id}); });
  if (!raw) throw Error(ErrorCode::kNotFound, fmt::format("there is no attempt {}", options.id));
  const std::string bytes = raw->file.empty() ? raw->bytes : read_file_beneath(data_dir, raw->file);
  if (bytes.empty()) fmt::print(stderr, "nothing came for attempt {}\n", options.id);
  print_text(bytes);
  return kExitDone;
}

int resolve_attempt(const AttemptOptions& options) {
  if (options.charged + options.not_charged + options.resend != 1) {
    throw Error(ErrorCode::kUsage, "say what became of it: --charged, --not-charged or --resend");
  }
  const char* resolution = options.charged ? "charged" : options.not_charged ? "not_charged" : "resend";
  const Json attempt = ApiClient(options.data_dir)
                           .post(fmt::format("/api/v1/attempts/{}/resolve", options.id), {{"resolution", resolution}});
  if (options.json) {
    print_json(attempt);
    return kExitDone;
  }
  const bool again = attempt.at("asked_again").get<bool>();
  fmt::print("attempt {} counts as {}; {}\n", options.id, options.not_charged ? "not charged" : "charged",
             again ? "its response is asked about again"
                   : "its response is not asked about again (cutd round retry asks about all that failed)");
  return kExitDone;
}

}  // namespace

void add_ledger_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* ledger = app.add_subcommand("ledger", "What paid annotators have cost, and what they may cost");
  ledger->require_subcommand(0, 1);
  const auto options = std::make_shared<LedgerOptions>();
  add_data_dir_option(*ledger, options->data_dir);
  ledger->add_flag("--json", options->json, "Print JSON; amounts are micro-dollars");
  ledger->add_option("--run", options->run, "Movements of this run alone")->check(CLI::PositiveNumber);
  ledger->add_option("--entries", options->entries, "Newest movements to show (0: balances alone)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();

  CLI::App* caps = ledger->add_subcommand("caps", "Change the caps of an annotator, in dollars");
  add_data_dir_option(*caps, options->data_dir);
  caps->add_flag("--json", options->json, "Print JSON; amounts are micro-dollars");
  caps->add_option("annotator", options->annotator, "Its name")->required();
  const std::pair<const char*, std::optional<double>*> limits[] = {{"--request", &options->request},
                                                                   {"--round", &options->round},
                                                                   {"--day", &options->day},
                                                                   {"--total", &options->total}};
  for (const auto& [flag, target] : limits) {
    caps->add_option(flag, *target, "Most dollars; what is not given stays")->check(CLI::NonNegativeNumber);
  }
  caps->footer("Example: cutd ledger caps critic --day 20 --total 200");
  ledger->callback([options, caps, &chosen] {
    if (caps->parsed()) chosen = [options] { return set_caps(*options); };
    else chosen = [options] { return show_ledger(*options); };
  });
}

void add_attempt_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("attempts", "Paid requests; those whose outcome is unknown wait for your word");
  group->require_subcommand(0, 1);
  const auto options = std::make_shared<AttemptOptions>();
  add_data_dir_option(*group, options->data_dir);
  group->add_flag("--json", options->json, "Print JSON; amounts are micro-dollars");
  group->add_option("--state", options->state, "Which to list")
      ->check(CLI::IsMember({"unknown", "intent", "received", "failed", "all"}))
      ->capture_default_str();

  CLI::App* resolve =
      group->add_subcommand("resolve", "Say what became of an unknown one, as the provider's page shows it");
  add_data_dir_option(*resolve, options->data_dir);
  resolve->add_flag("--json", options->json, "Print JSON; amounts are micro-dollars");
  resolve->add_option("attempt", options->id, "Its number")->required();
  resolve->add_flag("--charged", options->charged, "It was charged; the response keeps no judgment");
  resolve->add_flag("--not-charged", options->not_charged,
                    "It was not: the reservation is released, and it is asked again");
  resolve->add_flag("--resend", options->resend, "It counts as charged, and it is asked, and paid, again");
  resolve->footer("Example: cutd attempts resolve 1234 --not-charged");
  CLI::App* show = group->add_subcommand(
      "show", "What came for one, byte for byte: a reply, an error, the beginning of a reply that broke off");
  add_data_dir_option(*show, options->data_dir);
  show->add_option("attempt", options->id, "Its number")->required();
  show->footer("Example: cutd attempts show 1234");
  group->callback([options, resolve, show, &chosen] {
    if (resolve->parsed()) chosen = [options] { return resolve_attempt(*options); };
    else if (show->parsed()) chosen = [options] { return show_attempt(*options); };
    else chosen = [options] { return list_attempts(*options); };
  });
}

}  // namespace cutd
