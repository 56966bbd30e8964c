#include "server/people_routes.h"

#include "server/client_address.h"
#include "server/route_arguments.h"
#include "server/views.h"
#include "store/people.h"

namespace cutd {
namespace {

constexpr std::int64_t kDayMicros = 24LL * 3600 * 1'000'000;

Json user_view(const User& user) {
  return {{"id", user.id.value},
          {"name", user.name},
          {"role", name_of(user.role)},
          {"tags", user.tags},
          {"has_password", user.has_password},
          {"revoked", user.revoked},
          {"created_at", format_utc(user.created_at)},
          {"last_seen_at", time_or_null(user.last_seen_at)}};
}

Json session_view(const Principal& principal) {
  return {{"user", principal.user ? Json(principal.user->value) : Json()},
          {"name", principal.name},
          {"role", name_of(principal.role)},
          {"expires_at", principal.expires_at > 0 ? Json(format_utc(principal.expires_at)) : Json()}};
}

constexpr std::size_t kMostPasswordBytes = 200;

std::string password_of(const Json& body) {
  auto password = json_get<std::string>(body, "password", kRequestBody);
  if (password.size() < 10 || password.size() > kMostPasswordBytes) {
    throw Error(ErrorCode::kBadInput, "request body: \"password\" must have 10 to 200 characters");
  }
  return password;
}

// One answer for every way to fail, so that names cannot be probed.
Reply wrong_login() { return problem_reply(401, "that does not prove who you are", "unauthorized"); }

// What a sign-in is made with: a login link's secret, or a name and a password.
struct Login {
  std::optional<std::string> link;
  std::string name;  // empty with a link
  std::string password;
};

Login login_of(const Json& body) {
  Login login;
  if (body.contains("link")) {
    require_keys(body, {"link"});
    login.link = json_get<std::string>(body, "link", kRequestBody);
    return login;
  }
  require_keys(body, {"name", "password"});
  login.name = json_get<std::string>(body, "name", kRequestBody);
  login.password = json_get<std::string>(body, "password", kRequestBody);
  return login;
}

// Neither is looked at closer, and the throttle keeps no name, when no account can have them.
bool can_be_right(const Login& login) {
  return login.link || (is_user_name(login.name) && login.password.size() <= kMostPasswordBytes);
}

std::optional<UserId> user_of_login(const PeopleContext& context, const Login& login) {
  if (login.link) {
    return context.store.write(
        [hash = secret_hash(*login.link)](Writer& writer) { return use_login_link(writer, hash); });
  }
  const auto hash = context.store.read([&](Reader& reader) { return find_password_hash(reader, login.name); });
  if (!context.passwords.matches(hash, login.password)) return std::nullopt;
  const auto user = context.store.read([&](Reader& reader) { return find_user(reader, login.name); });
  return user ? std::optional(user->id) : std::nullopt;
}

Reply come_again(Reply reply, const char* seconds) {
  reply.headers.emplace_back("Retry-After", seconds);
  return reply;
}

// A handler that needs a turn at the passwords, or says at once when to ask for one again.
Handler with_passwords(const PeopleContext& context, Reply (*handle)(const PeopleContext&, const Request&)) {
  return [context, handle](const Request& request) {
    try {
      return handle(context, request);
    } catch (const PasswordsBusy& busy) {
      return come_again(problem_reply(busy), "1");
    }
  };
}

Reply sign_in(const PeopleContext& context, const Request& request) {
  const Login login = login_of(json_body(request));
  if (!can_be_right(login)) return wrong_login();
  const std::string address = client_address(request, context.behind_proxy);
  if (!context.throttle.begin(address, login.name, context.clock.boot_millis())) {
    return come_again(problem_reply(429, "too many failed attempts; wait a minute", "too_many"), "60");
  }
  std::optional<UserId> user;
  try {
    user = user_of_login(context, login);
  } catch (const PasswordsBusy&) {
    context.throttle.take_back(address, login.name);
    throw;
  }
  if (!user) return wrong_login();
  context.throttle.take_back(address, login.name);
  const std::string secret = random_secret();
  const std::string hash = secret_hash(secret);
  const auto proof = context.store.write([&](Writer& writer) {
    sweep_people(writer);
    add_session(writer, *user, hash);
    return find_session(writer, hash, writer.now());
  });
  if (!proof) return wrong_login();  // revoked in between
  Reply reply = json_reply(session_view({proof->role, proof->user, proof->name, proof->expires_at, true}));
  reply.headers.emplace_back("Set-Cookie", session_cookie(secret, context.https));
  return reply;
}

Reply sign_out(const PeopleContext& context, const Request& request) {
  if (const auto secret = session_secret(request, context.https)) {
    context.store.write([hash = secret_hash(*secret)](Writer& writer) { end_session(writer, hash); });
  }
  Reply reply = empty_reply();
  reply.headers.emplace_back("Set-Cookie", ended_session_cookie(context.https));
  return reply;
}

Reply set_own_password(const PeopleContext& context, const Request& request) {
  const Json body = json_body(request);
  require_keys(body, {"password"});
  const std::string password = password_of(body);
  if (!request.principal->user) throw Error(ErrorCode::kConflict, "the Unix socket's user has no account");
  const std::string hash = context.passwords.hash(password);
  const auto secret = session_secret(request, context.https);
  const std::string kept = secret ? secret_hash(*secret) : "";
  context.store.write([&](Writer& writer) { set_password(writer, *request.principal->user, hash, kept); });
  return json_reply(Json::object());
}

Reply add_account(const PeopleContext& context, const Request& request) {
  const Json body = json_body(request);
  require_keys(body, {"name", "role", "password", "tags"});
  NewUser user;
  user.name = json_get<std::string>(body, "name", kRequestBody);
  user.role = from_name<Role>(json_get<std::string>(body, "role", kRequestBody));
  user.tags = json_get_or<std::vector<std::string>>(body, "tags", {}, kRequestBody);
  if (user.tags.size() > 32) throw Error(ErrorCode::kBadInput, "request body: at most 32 tags");
  for (const std::string& tag : user.tags) {
    if (tag.size() > 64) throw Error(ErrorCode::kBadInput, "request body: a tag has at most 64 characters");
  }
  if (body.contains("password")) user.password_hash = context.passwords.hash(password_of(body));
  const User made = context.store.write([&](Writer& writer) { return *find_user(writer, add_user(writer, user)); });
  return json_reply(user_view(made), 201);
}

Reply make_link(const PeopleContext& context, const Request& request) {
  const std::string secret = random_secret();
  const std::int64_t expires_at = context.store.write(
      [&](Writer& writer) { return add_login_link(writer, path_id<UserId>(request), secret_hash(secret)); });
  return json_reply({{"path", "/login#" + secret}, {"expires_at", format_utc(expires_at)}}, 201);
}

Reply make_token(const PeopleContext& context, const Request& request) {
  const Json body = json_body(request);
  require_keys(body, {"name", "expires_in_days"});
  const auto name = json_get<std::string>(body, "name", kRequestBody);
  if (name.empty() || name.size() > 64) {
    throw Error(ErrorCode::kBadInput, "request body: \"name\" has 1 to 64 characters");
  }
  const auto days = json_get_or<std::int64_t>(body, "expires_in_days", 0, kRequestBody);
  if (body.contains("expires_in_days") && (days < 1 || days > 3650)) {
    throw Error(ErrorCode::kBadInput, "request body: \"expires_in_days\" is from 1 to 3650");
  }
  const std::string secret = random_token();
  const std::int64_t id = context.store.write([&](Writer& writer) {
    const auto expires_at = days > 0 ? std::optional(writer.now() + days * kDayMicros) : std::nullopt;
    return add_token(writer, path_id<UserId>(request), name, secret_hash(secret), expires_at);
  });
  return json_reply({{"id", id}, {"token", secret}}, 201);
}

Json token_list(Reader& reader, UserId user) {
  if (!find_user(reader, user)) throw Error(ErrorCode::kNotFound, "there is no user " + std::to_string(user.value));
  Json list = Json::array();
  for (const Token& token : list_tokens(reader, user)) {
    list.push_back({{"id", token.id},
                    {"name", token.name},
                    {"created_at", format_utc(token.created_at)},
                    {"expires_at", time_or_null(token.expires_at)},
                    {"last_used_at", time_or_null(token.last_used_at)},
                    {"revoked", token.revoked}});
  }
  return list;
}

void add_session_routes(Router& router, const PeopleContext& context) {
  router.add("GET", "/api/v1/session", Access::kSignedIn,
             [](const Request& request) { return json_reply(session_view(*request.principal)); });
  router.add_secret("POST", "/api/v1/session", Access::kPublic, with_passwords(context, sign_in));
  router.add_secret("DELETE", "/api/v1/session", Access::kSignedIn,
                    [context](const Request& request) { return sign_out(context, request); });
  router.add_secret("POST", "/api/v1/session/password", Access::kSignedIn, with_passwords(context, set_own_password));
}

void add_user_routes(Router& router, const PeopleContext& context) {
  router.add("GET", "/api/v1/users", Access::kOperator, [context](const Request&) {
    Json list = Json::array();
    for (const User& user : context.store.read([](Reader& reader) { return list_users(reader); })) {
      list.push_back(user_view(user));
    }
    return json_reply({{"users", std::move(list)}});
  });
  router.add_secret("POST", "/api/v1/users", Access::kOperator, with_passwords(context, add_account));
  router.add("POST", "/api/v1/users/{id}/revoke", Access::kOperator, [context](const Request& request) {
    context.store.write([&](Writer& writer) { revoke_user(writer, path_id<UserId>(request)); });
    return json_reply(Json::object());
  });
  router.add("POST", "/api/v1/users/{id}/erase", Access::kOperator, [context](const Request& request) {
    context.store.write([&](Writer& writer) { erase_user(writer, path_id<UserId>(request)); });
    return json_reply(Json::object());
  });
  router.add_secret("POST", "/api/v1/users/{id}/link", Access::kOperator,
                    [context](const Request& request) { return make_link(context, request); });
}

void add_token_routes(Router& router, const PeopleContext& context) {
  router.add("GET", "/api/v1/users/{id}/tokens", Access::kOperator, [context](const Request& request) {
    const auto user = path_id<UserId>(request);
    return json_reply({{"tokens", context.store.read([&](Reader& reader) { return token_list(reader, user); })}});
  });
  router.add_secret("POST", "/api/v1/users/{id}/tokens", Access::kOperator,
                    [context](const Request& request) { return make_token(context, request); });
  router.add("DELETE", "/api/v1/tokens/{id}", Access::kOperator, [context](const Request& request) {
    const auto id = path_id<Id<struct TokenNoun>>(request);
    context.store.write([&](Writer& writer) { revoke_token(writer, id.value); });
    return empty_reply();
  });
}

}  // namespace

void add_people_routes(Router& router, const PeopleContext& context) {
  add_session_routes(router, context);
  add_user_routes(router, context);
  add_token_routes(router, context);
}

}  // namespace cutd
