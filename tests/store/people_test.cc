#include "store/people.h"

#include "store/kept_replies.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Optional;

std::string hash_of(char letter) { return std::string(64, letter); }

class PeopleTest : public StoreTest {
 protected:
  UserId add(const std::string& name, Role role = Role::kAnnotator) {
    return write([&](Writer& writer) { return add_user(writer, {name, role, "hash of a password", {"law"}}); });
  }
  std::int64_t now() { return clock_.wall_micros(); }
  std::optional<Proof> session(char letter, std::int64_t at) {
    return read([&](Reader& reader) { return find_session(reader, hash_of(letter), at); });
  }
  std::optional<Proof> token(char letter, std::int64_t at) {
    return read([&](Reader& reader) { return find_token(reader, hash_of(letter), at); });
  }
};

TEST_F(PeopleTest, AnAccountIsFoundByItsNameInAnyCase) {
  const UserId eve = add("Eve");
  const auto found = read([](Reader& reader) { return find_user(reader, "eve"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, eve);
  EXPECT_EQ(found->role, Role::kAnnotator);
  EXPECT_THAT(found->tags, ElementsAre("law"));
  EXPECT_TRUE(found->has_password);
  error_of(ErrorCode::kConflict, [&] { add("EVE"); });
}

TEST_F(PeopleTest, NamesWithoutLettersOrWithControlCharactersAreRefused) {
  for (const std::string& name :
       {std::string(), std::string(65, 'x'), std::string("a\nb"), std::string(" a"), std::string("a\0b", 3)}) {
    error_of(ErrorCode::kBadInput, [&] { add(name); });
  }
  add("Zoë Müller-Łukasiewicz");
}

TEST_F(PeopleTest, ASessionEndsByIdlenessAgeAndHand) {
  const UserId eve = add("eve");
  write([&](Writer& writer) { add_session(writer, eve, hash_of('a')); });
  EXPECT_THAT(session('a', now()), Optional(Field(&Proof::user, eve)));
  EXPECT_FALSE(session('b', now()));
  EXPECT_FALSE(session('a', now() + kSessionIdleMicros + 1'000'000));
  EXPECT_FALSE(session('a', now() + kSessionMicros + 1'000'000));
  write([&](Writer& writer) { end_session(writer, hash_of('a')); });
  EXPECT_FALSE(session('a', now()));
}

TEST_F(PeopleTest, ALoginLinkIsGoodOnce) {
  const UserId eve = add("eve");
  write([&](Writer& writer) { add_login_link(writer, eve, hash_of('c')); });
  const auto use = [&] { return write([&](Writer& writer) { return use_login_link(writer, hash_of('c')); }); };
  EXPECT_EQ(use(), eve);
  EXPECT_EQ(use(), std::nullopt);
}

TEST_F(PeopleTest, ATokenEndsWithItsTimeOrWhenItIsRevoked) {
  const UserId eve = add("eve", Role::kViewer);
  const std::int64_t id = write([&](Writer& writer) {
    add_token(writer, eve, "scraper", hash_of('d'), writer.now() + 1'000'000'000);
    return add_token(writer, eve, "other", hash_of('e'), std::nullopt);
  });
  EXPECT_THAT(token('d', now()), Optional(Field(&Proof::role, Role::kViewer)));
  EXPECT_FALSE(token('d', now() + 2'000'000'000));
  EXPECT_TRUE(token('e', now()));
  write([&](Writer& writer) { revoke_token(writer, id); });
  EXPECT_FALSE(token('e', now()));
}

TEST_F(PeopleTest, RevokingAnAccountEndsEveryWayIn) {
  const UserId eve = add("eve");
  write([&](Writer& writer) {
    add_session(writer, eve, hash_of('a'));
    add_token(writer, eve, "t", hash_of('b'), std::nullopt);
    add_login_link(writer, eve, hash_of('c'));
    revoke_user(writer, eve);
  });
  EXPECT_FALSE(session('a', now()));
  EXPECT_FALSE(token('b', now()));
  EXPECT_EQ(write([](Writer& writer) { return use_login_link(writer, hash_of('c')); }), std::nullopt);
  EXPECT_FALSE(read([](Reader& reader) { return find_password_hash(reader, "eve"); }));
  error_of(ErrorCode::kConflict, [&] { write([&](Writer& writer) { add_login_link(writer, eve, hash_of('f')); }); });
  EXPECT_TRUE(read([&](Reader& reader) { return find_user(reader, eve); })->revoked);
}

TEST_F(PeopleTest, AnErasedAccountIsRevokedAndNamesNobody) {
  const UserId eve = add("eve");
  write([&](Writer& writer) {
    add_session(writer, eve, hash_of('a'));
    add_token(writer, eve, "eve's laptop", hash_of('b'), std::nullopt);
    erase_user(writer, eve);
  });
  EXPECT_FALSE(session('a', now()));
  EXPECT_FALSE(token('b', now()));
  const std::optional<User> left = read([&](Reader& reader) { return find_user(reader, eve); });
  ASSERT_TRUE(left);
  EXPECT_EQ(left->name, "erased-" + std::to_string(eve.value));
  EXPECT_TRUE(left->revoked);
  EXPECT_FALSE(left->last_seen_at);
  EXPECT_EQ(read([&](Reader& reader) { return list_tokens(reader, eve); }).at(0).name, "erased");
  EXPECT_NE(add("eve"), eve);  // the name is free again
  error_of(ErrorCode::kNotFound, [&] { write([](Writer& writer) { erase_user(writer, UserId{99}); }); });
}

TEST_F(PeopleTest, AnAccountIsNeverRemoved) {
  add("eve");
  error_of(ErrorCode::kConflict, [&] { execute("DELETE FROM user"); });
}

TEST_F(PeopleTest, ANewPasswordEndsTheOtherSessions) {
  const UserId eve = add("eve");
  write([&](Writer& writer) {
    add_session(writer, eve, hash_of('a'));
    add_session(writer, eve, hash_of('b'));
    set_password(writer, eve, "new hash", hash_of('b'));
  });
  EXPECT_FALSE(session('a', now()));
  EXPECT_TRUE(session('b', now()));
}

TEST_F(PeopleTest, AKeptReplyIsForgottenAfterADay) {
  write([](Writer& writer) { keep_reply(writer, 7, "key-12345", {hash_of('a'), 201, "application/json", "{}"}); });
  const auto find = [&](std::int64_t user, std::int64_t at) {
    return read([&](Reader& reader) { return find_kept_reply(reader, user, "key-12345", at); });
  };
  ASSERT_TRUE(find(7, now()));
  EXPECT_EQ(find(7, now())->status, 201);
  EXPECT_FALSE(find(8, now()));
  EXPECT_FALSE(find(7, now() + kKeptReplyMicros + 1'000'000));
}

}  // namespace
}  // namespace cutd
