// The double as a program: fake_llm_server [--port N] [--script FILE | --script '{...}']
// Prints "http://127.0.0.1:PORT" on one line and answers until its standard input ends or it gets a signal.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "support/fake_llm/fake_api.h"

namespace {

cutd::Json read_script(const std::string& argument) {
  if (argument.empty()) return cutd::Json::object();
  return argument.front() == '{' ? cutd::parse_json(argument, "--script") : cutd::read_json_file(argument);
}

}  // namespace

int main(int count, char** arguments) {
  int port = 0;
  std::string script;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string flag = arguments[i];
    if (flag == "--port") port = std::atoi(arguments[i + 1]);
    else if (flag == "--script") script = arguments[i + 1];
    else count = 0;
  }
  if (count % 2 == 0) {
    std::fputs("usage: fake_llm_server [--port N] [--script FILE-or-JSON]\n", stderr);
    return 2;
  }
  try {
    const cutd::FakeLlmServer server(cutd::scripted_api(read_script(script)), port);
    std::printf("%s\n", server.url().c_str());
    std::fflush(stdout);
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake_llm_server: %s\n", error.what());
    return 1;
  }
  return 0;
}
