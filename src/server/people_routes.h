// Accounts over HTTP: signing in and out, and what `cutd user` does.
#pragma once

#include "core/clock.h"
#include "server/login_throttle.h"
#include "server/router.h"
#include "server/secrets.h"
#include "store/store.h"

namespace cutd {

// What is referred to must outlive the router.
struct PeopleContext {
  Store& store;
  const Clock& clock;
  Passwords& passwords;
  LoginThrottle& throttle;
  bool https = false;         // of the address that browsers use: the cookie is Secure
  bool behind_proxy = false;  // on loopback; it says which address a request came from
};

// session, session/password, users, users/{id}/revoke|erase|link|tokens, tokens/{id}.
void add_people_routes(Router& router, const PeopleContext& context);

}  // namespace cutd
