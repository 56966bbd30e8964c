// The daemon's routes and schemas/openapi.yaml are the same list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/embedded.h"
#include "core/yaml.h"
#include "cutd/daemon.h"
#include "server/pages.h"
#include "support/folders.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using Operations = std::map<std::string, std::string>;  // "GET /path" to the role that it names

std::string upper_case(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return text;
}

Operations contract() {
  const Json document = parse_yaml(embedded_server_contract().front().bytes, "openapi.yaml");
  Operations operations;
  for (const auto& [path, methods] : document.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      operations[upper_case(method) + " " + path] = operation.at("x-access").get<std::string>();
    }
  }
  return operations;
}

class ContractTest : public ::testing::Test {
 protected:
  ContractTest() {
    const auto pages = page_patterns();
    for (const Route& route : daemon_.router().routes()) {
      const bool page = std::find(pages.begin(), pages.end(), route.pattern) != pages.end();
      if (page) {
        EXPECT_EQ(route.access, Access::kPublic) << route.pattern;
      } else {
        routes_[route.method + " " + route.pattern] = access_name(route.access);
      }
    }
  }
  const TemporaryDirectory folder_;
  SystemClock clock_;
  NullLogger logger_;
  Daemon daemon_{{folder_.path() / "data", program_folder() / "cutd", {}, {""}}, clock_, logger_};
  Operations routes_;
};

TEST_F(ContractTest, EveryRouteIsInTheContractUnderTheSameRole) {
  const Operations known = contract();
  for (const auto& route : routes_) EXPECT_THAT(known, Contains(route)) << route.first;
}

TEST_F(ContractTest, EveryOperationOfTheContractIsServed) {
  for (const auto& [operation, access] : contract()) {
    EXPECT_TRUE(routes_.contains(operation)) << operation;
  }
}

TEST_F(ContractTest, TheListOfPublicRoutesIsShort) {
  std::vector<std::string> open;
  for (const auto& [operation, access] : routes_) {
    if (access == "public") open.push_back(operation);
  }
  EXPECT_THAT(open, ::testing::ElementsAre("GET /healthz", "GET /openapi.yaml", "GET /readyz", "POST /api/v1/session"));
}

// Each route, asked without a credential and with every other role's: deny by default.
TEST_F(ContractTest, EveryRouteAnswersTheWrongPeopleWithARefusal) {
  for (const Route& route : daemon_.router().routes()) {
    if (route.access == Access::kPublic) continue;
    Request request;
    request.method = route.method;
    for (const std::string& part : route.parts) request.path += "/" + (part.front() == '{' ? "1" : part);
    EXPECT_EQ(daemon_.router().handle(request, logger_).status, 401) << route.method << route.pattern;
    for (const Role role : {Role::kAnnotator, Role::kViewer}) {
      request.principal = Principal{role, UserId{1}, "x", 0, false};
      if (allows(route.access, request.principal)) continue;
      EXPECT_EQ(daemon_.router().handle(request, logger_).status, 403) << route.method << route.pattern;
    }
  }
}

}  // namespace
}  // namespace cutd
