#include "store/check.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "store/adapters.h"
#include "store/rows.h"

namespace cutd {
namespace {

using Findings = std::vector<std::string>;

// Every row of `sql` is a finding: its one column is the sentence.
void find_rows(Database& database, Findings& findings, std::string_view sql) {
  for (std::string& sentence : database.all(sql, [](Statement& row) { return row.text(0); })) {
    findings.push_back(std::move(sentence));
  }
}

void check_file(Database& database, Findings& findings) {
  for (const std::string& line :
       database.all("PRAGMA integrity_check(20)", [](Statement& row) { return row.text(0); })) {
    if (line != "ok") findings.push_back("integrity_check: " + line);
  }
  const auto orphans = database.all("PRAGMA foreign_key_check", [](Statement& row) {
    return fmt::format("foreign_key_check: row {} of {} refers to nothing in {}", row.integer(1), row.text(0),
                       row.text(2));
  });
  findings.insert(findings.end(), orphans.begin(), orphans.end());
}

void check_units(Database& database, Findings& findings) {
  find_rows(database, findings,
            "SELECT 'unit ' || unit.id || ' is ' || unit.state || ' with ' || count(response.id) || ' responses for ' "
            "|| count(sample.id) || ' samples' FROM unit LEFT JOIN sample ON sample.unit_id = unit.id "
            "LEFT JOIN response ON response.sample_id = sample.id GROUP BY unit.id "
            "HAVING count(response.id) <> CASE unit.state WHEN 'done' THEN count(sample.id) ELSE 0 END");
  find_rows(database, findings,
            "SELECT 'evaluation ' || evaluation.id || ' is done but its unit ' || unit.id || ' is open' "
            "FROM evaluation JOIN unit ON unit.evaluation_id = evaluation.id "
            "WHERE evaluation.state = 'done' AND unit.state = 'open'");
}

void check_phases(Database& database, Findings& findings) {
  find_rows(database, findings,
            "SELECT 'event ' || id || ' of round ' || round_id || ' begins in ''' || from_phase || ''' where the one "
            "before ended in ''' || before || '''' FROM (SELECT id, round_id, from_phase, "
            "lag(to_phase, 1, '') OVER (PARTITION BY round_id ORDER BY id) AS before FROM round_event) "
            "WHERE from_phase <> before");
  find_rows(database, findings,
            "SELECT 'round ' || id || ' is ' || phase || ' but its last event says ' || coalesce(last, 'nothing') "
            "FROM (SELECT id, phase, (SELECT to_phase FROM round_event WHERE round_id = round.id "
            "ORDER BY round_event.id DESC LIMIT 1) AS last FROM round) WHERE phase IS NOT last");
}

// The kept counts against a count of every judgment.
void check_counts(Database& database, Findings& findings) {
  find_rows(
      database, findings,
      "WITH counted AS (SELECT coalesce(unit.round_id, 0) AS round, coalesce(unit.evaluation_id, 0) AS evaluation, "
      "judgment.annotator_id AS annotator, judgment.state AS state, coalesce(judgment.label, '') AS label, "
      "judgment.validated AS validated, count(*) AS number FROM judgment "
      "JOIN response ON response.id = judgment.response_id JOIN sample ON sample.id = response.sample_id "
      "JOIN unit ON unit.id = sample.unit_id GROUP BY 1, 2, 3, 4, 5, 6) "
      "SELECT 'judgment_count says ' || coalesce(count, 0) || ' ' || coalesce(counted.state, kept.state) || "
      "' judgments of annotator ' || coalesce(counted.annotator, kept.annotator_id) || ' where there are ' || "
      "coalesce(number, 0) FROM counted FULL JOIN judgment_count AS kept ON kept.round_id = round "
      "AND kept.evaluation_id = evaluation AND kept.annotator_id = annotator AND kept.state = counted.state "
      "AND kept.label = counted.label AND kept.validated = counted.validated "
      "WHERE coalesce(count, 0) <> coalesce(number, 0)");
}

void check_manifests(Database& database, const std::filesystem::path& data_dir, Findings& findings) {
  find_rows(database, findings,
            "SELECT DISTINCT 'round ' || round_id || ' was trained without a manifest' FROM adapter "
            "WHERE NOT EXISTS (SELECT 1 FROM manifest WHERE manifest.round_id = adapter.round_id)");
  find_rows(
      database, findings,
      "SELECT 'manifest ' || manifest.id || ' counts ' || positives || ' + ' || negatives || ' entries and has ' "
      "|| sum(judgment.label = 'positive') || ' + ' || sum(judgment.label = 'negative') FROM manifest "
      "LEFT JOIN manifest_entry AS entry ON entry.manifest_id = manifest.id "
      "LEFT JOIN judgment ON judgment.id = entry.judgment_id GROUP BY manifest.id "
      "HAVING positives <> total(judgment.label = 'positive') OR negatives <> total(judgment.label = 'negative')");
  const auto files = database.all("SELECT path, sha256 FROM manifest ORDER BY id",
                                  [](Statement& row) { return std::pair(row.text(0), row.text(1)); });
  for (const auto& [path, sha256] : files) {
    try {
      if (sha256_file(data_dir / path) != sha256)
        findings.push_back("manifest " + path + " has another SHA-256 than its row");
    } catch (const Error& error) {
      findings.push_back("manifest " + path + ": " + error.what());
    }
  }
}

void check_adapters(Reader& reader, const std::filesystem::path& data_dir, Findings& findings) {
  for (const Adapter& adapter : list_adapters(reader)) {
    if (adapter.state != AdapterState::kVerified) continue;
    const std::filesystem::path folder = data_dir / adapter.path;
    if (!std::filesystem::is_directory(folder)) {
      findings.push_back("adapter " + adapter.path + " has a row but no folder");
      continue;
    }
    try {
      if (hash_directory(folder) != adapter.folder_hash)
        findings.push_back("adapter " + adapter.path + " has another hash than its row");
    } catch (const Error& error) {
      findings.push_back("adapter " + adapter.path + ": " + error.what());
    }
  }
  find_rows(reader.database(), findings,
            "SELECT 'round ' || round.id || ' was promoted with ' || count(adapter.id) || ' adapters, not delta and "
            "cumulative' FROM round LEFT JOIN adapter ON adapter.round_id = round.id AND adapter.state = 'verified' "
            "WHERE outcome = 'promoted' GROUP BY round.id HAVING count(adapter.id) <> 2");
  find_rows(reader.database(), findings,
            "SELECT 'run ' || run_id || ' serves adapter ' || coalesce(adapter_id, 'none') || ', its last promoted "
            "round made (or it started from) ' || coalesce(made, 'none') FROM (SELECT run_id, adapter_id, coalesce(("
            "  SELECT adapter.id FROM round JOIN adapter ON adapter.round_id = round.id AND adapter.kind = 'cumulative'"
            "  AND adapter.state = 'verified' WHERE round.run_id = serving.run_id AND round.outcome = 'promoted' ORDER "
            "BY round.number DESC LIMIT 1"
            "), (SELECT start_adapter_id FROM run WHERE run.id = serving.run_id)) AS made FROM serving) WHERE "
            "adapter_id IS NOT made");
  find_rows(reader.database(), findings,
            "SELECT 'run ' || run_id || ' serves adapter ' || adapter.path || ', which is quarantined' "
            "FROM serving JOIN adapter ON adapter.id = adapter_id WHERE adapter.state <> 'verified'");
}

void check_queue(Database& database, Findings& findings) {
  find_rows(database, findings,
            "SELECT 'task ' || task.id || ' counts ' || live || ' live and ' || done || ' done leases and has ' || "
            "total(lease.state = 'live') || ' and ' || total(lease.state = 'done') FROM task "
            "LEFT JOIN lease ON lease.task_id = task.id GROUP BY task.id "
            "HAVING live <> total(lease.state = 'live') OR done <> total(lease.state = 'done') OR live + done > need");
  find_rows(database, findings,
            "SELECT 'task ' || task_id || ' is held or settled ' || count(*) || ' times by ' || "
            "coalesce('user ' || user_id, external) FROM lease WHERE state IN ('live', 'done', 'skipped') "
            "GROUP BY task_id, coalesce('user ' || user_id, external) HAVING count(*) > 1");
  find_rows(database, findings,
            "SELECT 'task ' || task.id || ' is settled but its judgment is ' || judgment.state FROM task "
            "JOIN judgment ON judgment.id = task.judgment_id WHERE task.state = 'settled' AND judgment.state = "
            "'pending'");
  find_rows(database, findings,
            "SELECT 'queue ' || queue.id || ' has other counts than its tasks' FROM queue "
            "LEFT JOIN task ON task.queue_id = queue.id GROUP BY queue.id "
            "HAVING needed <> total(task.need) OR queue.done <> total(task.done) OR queue.live <> total(task.live) OR "
            "with_room <> total(task.state = 'open' AND task.need > task.done + task.live) OR "
            "in_review <> total(task.state = 'review') OR surplus <> (SELECT count(*) FROM lease JOIN task AS of_lease "
            "ON of_lease.id = lease.task_id WHERE of_lease.queue_id = queue.id AND lease.state = 'surplus')");
  find_rows(database, findings,
            "SELECT 'queue ' || queue.id || ' is closed with task ' || task.id || ' ' || task.state FROM queue "
            "JOIN task ON task.queue_id = queue.id WHERE queue.state = 'closed' AND (task.live > 0 OR "
            "task.state IN ('open', 'review'))");
}

void check_held_out(Database& database, Findings& findings) {
  // By the instruction's own split, not by the copies that the foreign keys compare.
  find_rows(
      database, findings,
      "SELECT 'unit ' || unit.id || ' of round ' || unit.round_id || ' samples instruction ' || instruction.id || "
      "', which is held out (' || instruction.split || ')' FROM unit JOIN sample ON sample.unit_id = unit.id "
      "JOIN instruction ON instruction.id = sample.instruction_id "
      "WHERE unit.round_id IS NOT NULL AND instruction.split <> 'train'");
  find_rows(database, findings,
            "SELECT 'manifest ' || entry.manifest_id || ' holds judgment ' || judgment.id || "
            "' of a held-out instruction, or one that is not validated' FROM manifest_entry AS entry "
            "JOIN judgment ON judgment.id = entry.judgment_id JOIN response ON response.id = judgment.response_id "
            "JOIN sample ON sample.id = response.sample_id JOIN instruction ON instruction.id = sample.instruction_id "
            "WHERE instruction.split <> 'train' OR judgment.validated <> 1");
}

// What an attempt binds and what it cost, in each of its three scopes.
constexpr std::string_view kMoneyOfAttempts =
    "WITH money AS (SELECT annotator, owner_scope, day_scope, "
    "CASE WHEN state = 'intent' OR (state = 'unknown' AND resolution IS NULL) THEN reserved ELSE 0 END AS bound, "
    "CASE WHEN state = 'received' THEN settled WHEN state = 'unknown' AND resolution IN ('charged', 'resend') "
    "THEN reserved ELSE 0 END AS price FROM judge_attempt), "
    "scoped AS (SELECT annotator, owner_scope AS scope, bound, price FROM money "
    "UNION ALL SELECT annotator, day_scope, bound, price FROM money "
    "UNION ALL SELECT annotator, 'total', bound, price FROM money), "
    "sums AS (SELECT annotator, scope, sum(bound) AS bound, sum(price) AS price FROM scoped GROUP BY annotator, "
    "scope) ";

void check_ledger(Database& database, Findings& findings) {
  find_rows(database, findings,
            std::string(kMoneyOfAttempts) +
                "SELECT 'the balance of ' || sums.annotator || ' for ' || sums.scope || ' is not that of its attempts' "
                "FROM sums LEFT JOIN balance USING (annotator, scope) "
                "WHERE balance.reserved IS NOT sums.bound OR balance.spent IS NOT sums.price");
  find_rows(database, findings,
            "SELECT 'the ledger of attempt ' || a.id || ' does not add up' FROM judge_attempt AS a "
            "WHERE (SELECT coalesce(sum(CASE kind WHEN 'reserve' THEN amount ELSE 0 END), 0) FROM ledger "
            "WHERE attempt_id = a.id) IS NOT a.reserved "
            "OR (SELECT count(*) FROM ledger WHERE attempt_id = a.id AND kind <> 'reserve') IS NOT "
            "(a.state IN ('received', 'failed') OR a.resolution IS NOT NULL) "
            "OR (SELECT coalesce(sum(amount), 0) FROM ledger WHERE attempt_id = a.id AND kind = 'settle') IS NOT "
            "CASE WHEN a.state = 'received' THEN a.settled WHEN a.resolution IN ('charged', 'resend') THEN a.reserved "
            "ELSE 0 END");
}

void check_hashes(Database& database, Findings& findings) {
  const auto compare = [&](std::string_view noun, std::string_view sql, auto hash_of) {
    database.all(sql, [&](Statement& row) {
      if (hash_of(row) != row.text(1))
        findings.push_back(fmt::format("{} {} has another hash than its contents", noun, row.integer(0)));
      return 0;
    });
  };
  compare("instruction", "SELECT id, hash, text, input FROM instruction",
          [](Statement& row) { return instruction_hash(row.text(2), row.text(3)); });
  compare("response", "SELECT id, hash, ids FROM response",
          [](Statement& row) { return response_hash(store_rows::ids(row, 2)); });
  compare("judgment", "SELECT id, hash, text FROM judgment WHERE state = 'done'",
          [](Statement& row) { return judgment_hash(row.text(2)); });
}

}  // namespace

std::vector<std::string> check_store(Reader& reader, const std::filesystem::path& data_dir) {
  Findings findings;
  Database& database = reader.database();
  check_file(database, findings);
  check_units(database, findings);
  check_phases(database, findings);
  check_counts(database, findings);
  check_manifests(database, data_dir, findings);
  check_adapters(reader, data_dir, findings);
  check_held_out(database, findings);
  check_ledger(database, findings);
  check_queue(database, findings);
  check_hashes(database, findings);
  return findings;
}

}  // namespace cutd
