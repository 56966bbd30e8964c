#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "core/error.h"
#include "core/signals.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/export_rows.h"
#include "cutd/instruction_upload.h"
#include "cutd/output.h"
#include "exchange/format.h"
#include "store/evaluations.h"
#include "store/lineage.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

struct DataImport {
  std::string data_dir;
  std::string file;
  std::string format = "auto";
  std::string split = "train";
  std::string output;
  std::string as;
  bool skip_incomplete = false;
  bool json = false;
};

struct ExportOptions {
  std::string data_dir;
  std::int64_t run = 0;
  std::int64_t round = 0;
  std::int64_t evaluation = 0;
  std::string format = "triplets";
  std::string generator;
  std::string output;
  bool trained_only = false;
  bool json = false;
};

// --- import ----------------------------------------------------------------------------------------------

// Leaves out what `format` cannot say, and returns how many that were. Error(kBadInput) when nothing is left.
std::size_t skip_incomplete(DataFormat format, std::vector<DataRecord>& records) {
  const std::vector<DataRecord> first(records.begin(), records.begin() + 1);
  const std::size_t left_out =
      std::erase_if(records, [format](const DataRecord& record) { return !can_write(format, record); });
  if (records.empty()) format_records(format, first);  // says what the first one lacks
  return left_out;
}

std::string left_out_text(std::size_t left_out) {
  return left_out == 0 ? "" : fmt::format("; {} left out, which the format cannot say", left_out);
}

// `records` in `format`; an error over some of them says how they can be left out.
auto format_all(DataFormat format, const std::vector<DataRecord>& records) {
  try {
    return format_records(format, records);
  } catch (const Error& error) {
    const auto lacking = std::count_if(records.begin(), records.end(),
                                       [format](const DataRecord& record) { return !can_write(format, record); });
    if (error.code() != ErrorCode::kBadInput || lacking == 0 || lacking == std::ssize(records)) throw;
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} ({} of {} records are like that: --skip-incomplete leaves them out)", error.what(),
                            lacking, records.size()));
  }
}

void convert(const DataImport& options, DataFormat format, std::vector<DataRecord> records,
             const std::stop_token& stop) {
  const DataFormat as = format_of(options.as);
  const std::size_t left_out = options.skip_incomplete ? skip_incomplete(as, records) : 0;
  const std::vector<Json> written = format_all(as, records);
  throw_if_stopped(stop, "converting");
  write_records(options.output, written);
  if (options.json) {
    print_json({{"records", records.size()},
                {"left_out", left_out},
                {"format", format_name(format)},
                {"as", options.as},
                {"output", options.output}});
  } else {
    fmt::print("{} records of {} written as {} to {}{}\n", records.size(), format_name(format), options.as,
               options.output, left_out_text(left_out));
  }
}

std::vector<Instruction> instructions_of(const std::vector<DataRecord>& records) {
  std::vector<Instruction> rows;
  for (const DataRecord& record : records) {
    if (!record.system.empty() || !record.history.empty()) {
      throw Error(ErrorCode::kBadInput, record.origin +
                                            ": has a system text or earlier turns; an instruction is one "
                                            "turn, so this record cannot be one");
    }
    Instruction& row = rows.emplace_back();
    row.text = record.instruction;
    row.input = record.input;
  }
  return rows;
}

void import_data(const DataImport& options, const std::stop_token& stop) {
  if (options.output.empty() != options.as.empty())
    throw Error(ErrorCode::kUsage, "--output and --as belong together: where to write, and in which format");
  if (options.skip_incomplete && options.as.empty())
    throw Error(ErrorCode::kUsage, "--skip-incomplete is about converting: it needs --as and --output");
  const std::vector<RawRecord> raw = read_records(options.file);
  const DataFormat format = options.format == "auto" ? detect_format(raw) : format_of(options.format);
  throw_if_stopped(stop, "reading records");
  std::vector<DataRecord> records = parse_records(format, raw);
  throw_if_stopped(stop, "reading records");
  if (!options.as.empty()) return convert(options, format, std::move(records), stop);
  const std::vector<Instruction> rows = instructions_of(records);
  ApiClient api(options.data_dir);
  Json counts = upload_instructions(api, rows, options.split, options.file, stop);
  if (!options.json) fmt::print("format: {}\n", format_name(format));
  if (options.json) {
    counts["format"] = format_name(format);
    print_json(counts);
  } else {
    print_text(upload_text(counts, rows.size()));
  }
}

// --- export ----------------------------------------------------------------------------------------------

std::vector<LineageRow> rows_of(Reader& reader, const ExportOptions& options) {
  if (!find_run(reader, RunId{options.run}))
    throw Error(ErrorCode::kNotFound, "there is no run " + std::to_string(options.run));
  std::optional<RoundId> round;
  if (options.round > 0) {
    for (const Round& candidate : list_rounds(reader, RunId{options.run})) {
      if (candidate.number == options.round) round = candidate.id;
    }
    if (!round) {
      throw Error(ErrorCode::kNotFound, fmt::format("run {} has no round number {}", options.run, options.round));
    }
  }
  return list_lineage(reader, RunId{options.run}, round);
}

std::vector<Json> evaluation_records(Reader& reader, const ExportOptions& options) {
  const auto evaluation = find_evaluation(reader, EvaluationId{options.evaluation});
  if (!evaluation) throw Error(ErrorCode::kNotFound, "there is no evaluation " + std::to_string(options.evaluation));
  const std::string generator =
      options.generator.empty() ? evaluation->key.model_hash.substr(0, 12) : options.generator;
  std::vector<DataRecord> records;
  for (const EvaluatedOutput& row : list_evaluated_outputs(reader, evaluation->id)) {
    DataRecord& record = records.emplace_back();
    record.instruction = row.instruction;
    record.input = row.input;
    record.output = row.output;
    record.generator = generator;
    record.origin = "evaluation " + std::to_string(options.evaluation);
  }
  return format_records(format_of(options.format), records);
}

std::vector<Json> export_records(Reader& reader, const ExportOptions& options) {
  if (options.evaluation > 0) return evaluation_records(reader, options);
  std::vector<LineageRow> rows = rows_of(reader, options);
  if (options.trained_only) std::erase_if(rows, [](const LineageRow& row) { return row.manifest.empty(); });
  if (options.format == "lineage") return lineage_json(rows);
  const DataFormat format = format_of(options.format);
  const bool pairs = format == DataFormat::kPreference || format == DataFormat::kAlpacaEvalAnnotations;
  return format_records(format, pairs ? preference_records(rows) : judged_records(rows));
}

void run_export(const ExportOptions& options, const std::stop_token& stop) {
  if ((options.run > 0) == (options.evaluation > 0))
    throw Error(ErrorCode::kUsage, "cutd export needs --run NUMBER, or --evaluation NUMBER");
  const auto data_dir = std::filesystem::absolute(options.data_dir).lexically_normal();
  const std::vector<Json> records =
      StoreReader(data_dir).read([&](Reader& reader) { return export_records(reader, options); });
  throw_if_stopped(stop, "exporting");
  write_records(options.output, records);
  if (options.json) print_json({{"records", records.size()}, {"format", options.format}, {"output", options.output}});
  else fmt::print("{} records written as {} to {}\n", records.size(), options.format, options.output);
}

std::string all_formats() { return fmt::format("{}", fmt::join(format_names(), ", ")); }

void add_import_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<DataImport>();
  CLI::App* read =
      app.add_subcommand("import", "Read a data file of any known format: store its instructions, or convert it");
  add_data_dir_option(*read, options->data_dir);
  read->add_option("file", options->file, "JSON list or JSON Lines, also as .gz")->required();
  read->add_option("--format", options->format, "auto, " + all_formats())->capture_default_str();
  read->add_option("--split", options->split, "What the instructions are for: train, gate or report")
      ->check(CLI::IsMember({"train", "gate", "report"}))
      ->capture_default_str();
  read->add_option("--output", options->output, "Convert: write the records here and store nothing");
  read->add_option("--as", options->as, "Convert: the format to write");
  read->add_flag(
      "--skip-incomplete", options->skip_incomplete,
      "Convert: leave out the records that the format cannot say (a draw has no preference), and count them");
  read->add_flag("--json", options->json, "Print JSON");
  read->footer(
      "Examples:\n"
      "  cutd import sharegpt.json.gz --as messages --output messages.jsonl\n"
      "  cutd import annotations.json --as preference --skip-incomplete --output pairs.jsonl");
  read->callback([options, &chosen] {
    chosen = [options] {
      return run_stoppable([&](const std::stop_token& stop) { import_data(*options, stop); },
                           options->as.empty() ? kUploadStopped : kNothingWritten);
    };
  });
}

void add_export_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* write = app.add_subcommand("export", "Write what a run's judgments say, or an evaluation's outputs");
  add_data_dir_option(*write, options->data_dir);
  write->add_option("--run", options->run, "Number of the run");
  write->add_option("--round", options->round, "Only its round of that number");
  write->add_option("--evaluation", options->evaluation, "Instead of a run: the outputs of an evaluation");
  write
      ->add_option("--format", options->format,
                   "lineage (every judgment, whoever gave it, what it trained), " + all_formats())
      ->capture_default_str();
  write->add_option("--generator", options->generator, "The model's name in AlpacaEval outputs");
  write->add_flag("--trained", options->trained_only, "Only what a round was trained on");
  write->add_option("--output", options->output, "File to write: .json, .jsonl, each also .gz")->required();
  write->add_flag("--json", options->json, "Print JSON");
  write->footer(
      "Examples:\n"
      "  cutd export --run 1 --format triplets --output triplets.jsonl\n"
      "  cutd export --evaluation 4 --format alpaca-eval-outputs --generator my-model --output outputs.json");
  write->callback([options, &chosen] {
    chosen = [options] { return run_stoppable([&](const std::stop_token& stop) { run_export(*options, stop); }); };
  });
}

}  // namespace

void add_exchange_commands(CLI::App& app, CommandAction& chosen) {
  add_import_command(app, chosen);
  add_export_command(app, chosen);
}

}  // namespace cutd
