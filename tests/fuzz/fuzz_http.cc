// Bytes of a connection to answers: heads, bodies, the gate and every route that works without a model, over a store
// with a queue in it. Several requests in a row, as a connection reads them. Roles are taken with the tokens
// cutd_operator, cutd_viewer and cutd_annotator; who has none is a stranger. An answer of 500 is a finding.
#include "core/error.h"
#include "engine/client.h"
#include "fuzz/driver.h"
#include "round/run_service.h"
#include "server/gate.h"
#include "server/http_server.h"
#include "server/message.h"
#include "server/people_routes.h"
#include "server/queue_routes.h"
#include "server/routes.h"
#include "server/secrets.h"
#include "server/webhook_routes.h"
#include "store/people.h"
#include "store/queue_fixture.h"
#include "support/manual_clock.h"

using namespace cutd;

namespace {

// The tests' store, outside of a test.
class World : public QueueTest {
 public:
  World()
      : engine_(EngineProcessOptions{"/nowhere/cutd-engine"}, clock_, log_), runs_(store(), engine_, {}, clock_, log_) {
    open_queue(5);
    for (const Role role : {Role::kOperator, Role::kViewer, Role::kAnnotator}) {
      const std::string name(name_of(role));
      store().write([&](Writer& writer) {
        const UserId user = add_user(writer, {name, role, passwords_.hash("correct horse"), {}});
        add_token(writer, user, "fuzz", secret_hash("cutd_" + name), std::nullopt);
      });
    }
    add_read_routes(router_, {[this](const std::function<void(Reader&)>& query) { store().read(query); }, data_dir()});
    add_daemon_routes(router_,
                      {store(), runs_, now_clock_, [] { return Json::object(); }, [] { return std::string(); }});
    add_annotator_routes(router_, {store(), now_clock_, rate_});
    add_queue_operator_routes(router_, {store(), now_clock_, rate_});
    add_people_routes(router_, {store(), now_clock_, passwords_, throttle_, false, true});
    WebhookSenderOptions webhooks;
    webhooks.secret = [] { return std::string("secret"); };
    add_webhook_routes(router_, store(), webhooks);
  }
  void TestBody() override {}

  void connect(std::string_view bytes) {
    now_clock_.advance_ms(3'000);  // or the login throttle would soon answer everything
    while (!bytes.empty()) {
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == std::string_view::npos || end + 4 > limits_.header_bytes) return;
      RequestHead head;
      const auto refusal = parse_head(bytes.substr(0, end + 4), limits_.body_bytes, head);
      if (refusal) return check(*refusal, head.request);
      bytes.remove_prefix(end + 4);
      if (bytes.size() < head.content_length) return;
      head.request.body = bytes.substr(0, head.content_length);
      bytes.remove_prefix(head.content_length);
      head.request.peer = "127.0.0.1";
      const Request asked = head.request;
      check(gate_.handle(std::move(head.request)), asked);
      if (!head.keep_alive) return;
    }
  }

 private:
  static void check(const Reply& reply, const Request& request) {
    const std::string text = reply_text(reply, true);
    if (reply.status == 500) fuzz::violated(request.method + " " + request.path + ": " + text);
    const std::size_t end = text.find("\r\n\r\n");
    for (std::size_t line = text.find("\r\n"); line < end; line = text.find("\r\n", line + 2)) {
      if (text.find(':', line) > text.find("\r\n", line + 2)) fuzz::violated("a header line that is none: " + text);
    }
  }

  ManualClock now_clock_;
  Passwords passwords_{PasswordCost{1, 8192}};
  LoginThrottle throttle_;
  ClaimRate rate_{200, 0};
  EngineClient engine_;
  RunService runs_;
  Router router_;
  const ServerLimits limits_;
  Gate gate_{router_, store(), now_clock_, {}, log_};
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  world.connect(fuzz::text_of(data, size));
  return 0;
}
