// Certificates are always verified (reliability P21). The server is OpenSSL's own, so that no byte of ours is in it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/unique_fd.h"
#include "llm_api/http_support.h"
#include "support/temporary_directory.h"

extern char** environ;

namespace cutd {
namespace {

class HttpTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "ca.cnf")
        << "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\n"
           "policy=any\nunique_subject=no\n[any]\ncommonName=supplied\n[names]\nsubjectAltName=DNS:judge.example.com\n";
    std::ofstream(folder_ / "index").flush();
    std::ofstream(folder_ / "serial") << "01\n";
    shell(
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out request.pem -subj "
        "/CN=judge.example.com");
    certificate("good.pem", "20200101000000Z", "20991231000000Z");
    certificate("expired.pem", "20200101000000Z", "20200102000000Z");
  }
  void TearDown() override {
    if (server_ == 0) return;
    ::kill(server_, SIGTERM);
    ::waitpid(server_, nullptr, 0);
  }

  void shell(const std::string& command) {
    const std::string line = "cd " + folder_.path().string() + " && " + command + " >>log 2>&1";
    ASSERT_EQ(std::system(line.c_str()), 0) << read(folder_ / "log");
  }
  void certificate(const std::string& name, const std::string& from, const std::string& to) {
    shell(
        "openssl ca -batch -notext -selfsign -config ca.cnf -extensions names -keyfile key.pem -in request.pem -out " +
        name + " -startdate " + from + " -enddate " + to);
  }

  // Starts a server that answers every GET; waits until it listens.
  void serve(const std::string& certificate) {
    const std::string output = (folder_ / "server").string();
    const std::string key = (folder_ / "key.pem").string();
    const std::string path = (folder_ / certificate).string();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const char* arguments[] = {"openssl", "s_server",  "-accept", "127.0.0.1:0", "-www",
                               "-key",    key.c_str(), "-cert",   path.c_str(),  nullptr};
    ASSERT_EQ(::posix_spawnp(&server_, "openssl", &actions, nullptr, const_cast<char**>(arguments), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    const std::string before_port = "ACCEPT 127.0.0.1:";
    for (int i = 0; i < 500 && port_.empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const std::string text = read(output);
      const std::size_t at = text.find(before_port);
      const std::size_t end = at == std::string::npos ? at : text.find('\n', at);
      if (end != std::string::npos) port_ = text.substr(at + before_port.size(), end - at - before_port.size());
    }
    ASSERT_FALSE(port_.empty()) << read(output);
  }

  HttpOutcome get(const std::string& host, const std::string& trusted) {
    HttpClientOptions options = local_http();
    options.allow_http = false;
    options.resolve = {host + ":" + port_ + ":127.0.0.1"};
    if (!trusted.empty()) options.ca_file = (folder_ / trusted).string();
    return exchange(
        options,
        HttpRequest{false, "https://" + host + ":" + port_ + "/", {{"Authorization", "Bearer canary-key"}}, ""});
  }

  static std::string read(const std::filesystem::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  const TemporaryDirectory folder_;
  pid_t server_ = 0;
  std::string port_;
};

TEST_F(HttpTlsTest, TalksToWhomTheAuthorityVouchesFor) {
  serve("good.pem");
  EXPECT_EQ(in_short(get("judge.example.com", "good.pem")), "reply 200");
}

TEST_F(HttpTlsTest, RefusesAnUnknownAuthority) {
  serve("good.pem");
  EXPECT_EQ(in_short(get("judge.example.com", "")), "certificate, not sent");
}

TEST_F(HttpTlsTest, RefusesTheCertificateOfAnotherHost) {
  serve("good.pem");
  EXPECT_EQ(in_short(get("api.example.com", "good.pem")), "certificate, not sent");
}

TEST_F(HttpTlsTest, RefusesAnExpiredCertificateAndSaysSo) {
  serve("expired.pem");
  const auto outcome = get("judge.example.com", "expired.pem");
  ASSERT_EQ(in_short(outcome), "certificate, not sent");
  EXPECT_THAT(std::get<HttpFailure>(outcome).message, ::testing::HasSubstr("expired"));
}

}  // namespace
}  // namespace cutd
