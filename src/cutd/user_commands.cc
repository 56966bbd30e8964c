#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/output.h"

namespace cutd {
namespace {

struct UserOptions {
  std::string data_dir;
  std::string name;
  std::string role;
  std::vector<std::string> tags;
  std::string token_name;
  std::string url;  // empty: where the daemon says that people reach it
  bool password = false;
  bool json = false;
};

// From standard input: a password on the command line could be read by every process of the machine.
std::string read_password() {
  if (::isatty(STDIN_FILENO) == 1) fmt::print(stderr, "Password: ");
  std::string password;
  std::getline(std::cin, password);
  if (password.empty()) throw Error(ErrorCode::kUsage, "no password came on standard input");
  return password;
}

std::int64_t user_id(ApiClient& api, const std::string& name) {
  const Json reply = api.get("/api/v1/users");
  for (const Json& user : reply.at("users")) {
    if (user.at("name") == name) return user.at("id").get<std::int64_t>();
  }
  throw Error(ErrorCode::kNotFound, "there is no user \"" + name + "\" (cutd user list)");
}

std::string target(std::int64_t id, const char* what) { return fmt::format("/api/v1/users/{}/{}", id, what); }

std::string people_url(ApiClient& api, const UserOptions& options) {
  if (!options.url.empty()) return options.url;
  const Json status = api.get("/api/v1/status");
  if (status.at("url").is_string()) return status.at("url").get<std::string>();
  throw Error(ErrorCode::kUsage,
              "the daemon serves its Unix socket alone, so nobody could open a link: start it with --listen, or say "
              "with --url where people reach it");
}

void print_link(ApiClient& api, std::int64_t id, const std::string& url, const UserOptions& options) {
  Json link = api.post(target(id, "link"), Json::object());
  link["url"] = url + link.at("path").get<std::string>();
  if (options.json) print_json(link);
  else
    fmt::print("{}\ngood once, until {}\n", link.at("url").get<std::string>(),
               link.at("expires_at").get<std::string>());
}

int run_add(const UserOptions& options) {
  ApiClient api(options.data_dir);
  Json body = {{"name", options.name}, {"role", options.role}, {"tags", options.tags}};
  if (options.password) body["password"] = read_password();
  const std::string url = options.password ? "" : people_url(api, options);  // before anything is made
  const Json user = api.post("/api/v1/users", body);
  const auto id = user.at("id").get<std::int64_t>();
  if (!options.password) {
    print_link(api, id, url, options);
  } else if (options.json) {
    print_json(user);
  } else {
    fmt::print("{} {} added\n", options.role, options.name);
  }
  return kExitDone;
}

int print_users(const UserOptions& options) {
  ApiClient api(options.data_dir);
  const Json users = api.get("/api/v1/users").at("users");
  if (options.json) {
    print_json(users);
  } else {
    print_text(table_of(
        users,
        {{"user", "id"}, {"name", "name"}, {"role", "role"}, {"revoked", "revoked"}, {"last seen", "last_seen_at"}}));
  }
  return kExitDone;
}

int run_revoke(const UserOptions& options) {
  ApiClient api(options.data_dir);
  api.post(target(user_id(api, options.name), "revoke"), Json::object());
  if (options.json) print_json({{"name", options.name}, {"revoked", true}});
  else fmt::print("{} is let in no more\n", options.name);
  return kExitDone;
}

int run_erase(const UserOptions& options) {
  ApiClient api(options.data_dir);
  const std::int64_t id = user_id(api, options.name);
  api.post(target(id, "erase"), Json::object());
  const std::string now_called = "erased-" + std::to_string(id);
  if (options.json) print_json({{"id", id}, {"name", now_called}});
  else fmt::print("{} is forgotten; what they judged stays as the work of {}\n", options.name, now_called);
  return kExitDone;
}

int run_link(const UserOptions& options) {
  ApiClient api(options.data_dir);
  print_link(api, user_id(api, options.name), people_url(api, options), options);
  return kExitDone;
}

int run_token(const UserOptions& options) {
  ApiClient api(options.data_dir);
  const Json token = api.post(target(user_id(api, options.name), "tokens"), {{"name", options.token_name}});
  if (options.json) print_json(token);
  else print_text(token.at("token").get<std::string>() + "\n");
  return kExitDone;
}

CLI::App* add_command(CLI::App& group, const std::shared_ptr<UserOptions>& options, CommandAction& chosen,
                      const char* name, const char* help, int (*run)(const UserOptions&)) {
  CLI::App* command = group.add_subcommand(name, help);
  add_data_dir_option(*command, options->data_dir);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, run, &chosen] { chosen = [options, run] { return run(*options); }; });
  return command;
}

void add_name(CLI::App* command, UserOptions& options) {
  command->add_option("name", options.name, "The account's name")->required();
}

void add_url(CLI::App* command, UserOptions& options) {
  command->add_option("--url", options.url,
                      "Where people reach this daemon: what the link begins with (default: its own address)");
}

}  // namespace

void add_user_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("user", "Accounts of the web pages and the HTTP API");
  group->require_subcommand(1);
  const auto options = std::make_shared<UserOptions>();
  CLI::App* add = add_command(*group, options, chosen, "add", "Make an account; prints a login link", run_add);
  add_name(add, *options);
  add->add_option("--role", options->role, "operator, annotator or viewer")
      ->check(CLI::IsMember({"operator", "annotator", "viewer"}))
      ->required();
  add->add_option("--tag", options->tags, "Queue items with this tag go to this person, too");
  add->add_flag("--password", options->password, "Read a password from standard input instead of printing a link");
  add_url(add, *options);
  add->footer("Example: cutd user add eve --role annotator --url https://judge.example.org");
  add_command(*group, options, chosen, "list", "All accounts", print_users);
  add_name(add_command(*group, options, chosen, "revoke", "End sessions, links and tokens of an account", run_revoke),
           *options);
  CLI::App* erase = add_command(*group, options, chosen, "erase",
                                "Revoke an account and forget its name; its judgments stay and count", run_erase);
  add_name(erase, *options);
  erase->footer("Backups that were made before still hold the name.");
  CLI::App* link = add_command(*group, options, chosen, "link", "A login link, good once and for a day", run_link);
  add_name(link, *options);
  add_url(link, *options);
  CLI::App* token = add_command(*group, options, chosen, "token", "A bearer token for programs, shown once", run_token);
  add_name(token, *options);
  token->add_option("--for", options->token_name, "What it is for")->required();
}

}  // namespace cutd
