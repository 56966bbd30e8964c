#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "core/error.h"
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

struct ImportOptions {
  std::string data_dir;
  std::string file;
  std::string format = "auto";
  std::string split = "train";
  std::string output;
  std::string as;
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

int convert(const ImportOptions& options, DataFormat format, const std::vector<DataRecord>& records) {
  const DataFormat as = format_of(options.as);
  write_records(options.output, format_records(as, records));
  if (options.json) {
    print_json(
        {{"records", records.size()}, {"format", format_name(format)}, {"as", options.as}, {"output", options.output}});
  } else {
    fmt::print("{} records of {} written as {} to {}\n", records.size(), format_name(format), options.as,
               options.output);
  }
  return kExitDone;
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

int run_import(const ImportOptions& options) {
  if (options.output.empty() != options.as.empty())
    throw Error(ErrorCode::kUsage, "--output and --as belong together: where to write, and in which format");
  const std::vector<RawRecord> raw = read_records(options.file);
  const DataFormat format = options.format == "auto" ? detect_format(raw) : format_of(options.format);
  const std::vector<DataRecord> records = parse_records(format, raw);
  if (!options.as.empty()) return convert(options, format, records);
  const std::vector<Instruction> rows = instructions_of(records);
  ApiClient api(options.data_dir);
  Json counts = upload_instructions(api, rows, options.split, options.file);
  if (!options.json) fmt::print("format: {}\n", format_name(format));
  if (options.json) {
    counts["format"] = format_name(format);
    print_json(counts);
  } else {
    print_text(upload_text(counts, rows.size()));
  }
  return kExitDone;
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
  return format_records(format, format == DataFormat::kPreference ? preference_records(rows) : judged_records(rows));
}

int run_export(const ExportOptions& options) {
  if ((options.run > 0) == (options.evaluation > 0))
    throw Error(ErrorCode::kUsage, "cutd export needs --run NUMBER, or --evaluation NUMBER");
  const auto data_dir = std::filesystem::absolute(options.data_dir).lexically_normal();
  const std::vector<Json> records =
      StoreReader(data_dir).read([&](Reader& reader) { return export_records(reader, options); });
  write_records(options.output, records);
  if (options.json) print_json({{"records", records.size()}, {"format", options.format}, {"output", options.output}});
  else fmt::print("{} records written as {} to {}\n", records.size(), options.format, options.output);
  return kExitDone;
}

std::string all_formats() { return fmt::format("{}", fmt::join(format_names(), ", ")); }

}  // namespace

void add_exchange_commands(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* import =
      app.add_subcommand("import", "Read a data file of any known format: store its instructions, or convert it");
  add_data_dir_option(*import, options->data_dir);
  import->add_option("file", options->file, "JSON list or JSON Lines, also as .gz")->required();
  import->add_option("--format", options->format, "auto, " + all_formats())->capture_default_str();
  import->add_option("--split", options->split, "What the instructions are for: train, gate or report")
      ->check(CLI::IsMember({"train", "gate", "report"}))
      ->capture_default_str();
  import->add_option("--output", options->output, "Convert: write the records here and store nothing");
  import->add_option("--as", options->as, "Convert: the format to write");
  import->add_flag("--json", options->json, "Print JSON");
  import->footer("Example: cutd import sharegpt.json.gz --as messages --output messages.jsonl");
  import->callback([options, &chosen] { chosen = [options] { return run_import(*options);
};
}  // namespace cutd
);

const auto target = std::make_shared<ExportOptions>();
CLI::App* write = app.add_subcommand("export", "Write what a run's judgments say, or an evaluation's outputs");
add_data_dir_option(*write, target->data_dir);
write->add_option("--run", target->run, "Number of the run");
write->add_option("--round", target->round, "Only its round of that number");
write->add_option("--evaluation", target->evaluation, "Instead of a run: the outputs of an evaluation");
write
    ->add_option("--format", target->format,
                 "lineage (every judgment, whoever gave it, what it trained), " + all_formats())
    ->capture_default_str();
write->add_option("--generator", target->generator, "The model's name in AlpacaEval outputs");
write->add_flag("--trained", target->trained_only, "Only what a round was trained on");
write->add_option("--output", target->output, "File to write: .json, .jsonl, each also .gz")->required();
write->add_flag("--json", target->json, "Print JSON");
write->footer(
    "Examples:\n"
    "  cutd export --run 1 --format triplets --output triplets.jsonl\n"
    "  cutd export --evaluation 4 --format alpaca-eval-outputs --generator my-model --output outputs.json");
write->callback([target, &chosen] { chosen = [target] { return run_export(*target); }; });
}

}  // namespace cutd
