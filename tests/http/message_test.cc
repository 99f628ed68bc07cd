// Field names, field collections, and the fields that stop at each hop (RFC 9110 5 and 7.6.1).
#include "http/message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "http/serializer.h"

namespace revcache::http {
namespace {

TEST(FieldNames, AreKnownInEveryCase) {
  for (unsigned i = 1; i < static_cast<unsigned>(FieldId::count_); ++i) {
    const auto id = static_cast<FieldId>(i);
    std::string name(field_name(id));
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(field_id(name), id) << name;
    std::ranges::transform(name, name.begin(),
                           [](char c) { return static_cast<char>(std::tolower(c)); });
    EXPECT_EQ(field_id(name), id) << name;
    std::ranges::transform(name, name.begin(),
                           [](char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_EQ(field_id(name), id) << name;
    EXPECT_EQ(field_id(name + "x"), FieldId::other) << name;
    EXPECT_EQ(field_id(name.substr(1)), FieldId::other) << name;
  }
  EXPECT_EQ(field_name(FieldId::other), "");
}

TEST(FieldNames, AreNotMistakenForOthers) {
  for (const char* name : {"", "x", "Content\rLength", "Content_Length", "hosts", "ETagg", "tE ",
                           "\xc8ost", "content length"}) {
    EXPECT_EQ(field_id(name), FieldId::other) << name;
  }
}

TEST(Methods, AreCaseSensitive) {
  EXPECT_EQ(method_from("GET"), Method::get);
  EXPECT_EQ(method_from("get"), Method::other);
  EXPECT_EQ(method_from("other"), Method::other);
  EXPECT_EQ(method_from(""), Method::other);
  EXPECT_EQ(method_from("DELETE"), Method::delete_);
  EXPECT_EQ(to_string(Method::patch), "PATCH");
}

TEST(Methods, AreSafeAndIdempotentAsRfc9110Says) {
  EXPECT_TRUE(is_safe(Method::get) && is_safe(Method::head) && is_safe(Method::options));
  EXPECT_FALSE(is_safe(Method::post) || is_safe(Method::put) || is_safe(Method::other));
  EXPECT_TRUE(is_idempotent(Method::put) && is_idempotent(Method::delete_));
  EXPECT_FALSE(is_idempotent(Method::post) || is_idempotent(Method::patch));
}

Fields sample() {
  Fields fields;
  fields.add("Vary", "a");
  fields.add("X-Own", "1");
  fields.add("vary", "b");
  fields.add(FieldId::etag, "\"e\"");
  fields.add("x-own", "2");
  fields.add("Empty", "");
  return fields;
}

TEST(Fields, FindLinesByIdAndByName) {
  const Fields fields = sample();
  const FieldsView view = fields.view();
  EXPECT_EQ(view.find(FieldId::vary), "a");
  EXPECT_EQ(view.find("VARY"), "a");
  EXPECT_EQ(view.find("X-OWN"), "1");
  EXPECT_EQ(view.find("Empty"), "");
  EXPECT_EQ(view.find("absent"), std::nullopt);
  EXPECT_EQ(view.find(FieldId::host), std::nullopt);
  EXPECT_EQ(view.count(FieldId::vary), 2U);
  EXPECT_EQ(view.combined(FieldId::vary), "a, b");
  EXPECT_EQ(view.combined("x-OWN"), "1, 2");
  EXPECT_EQ(view.combined("absent"), std::nullopt);
  EXPECT_TRUE(view.has(FieldId::etag));
  EXPECT_FALSE(view.has(FieldId::age));
  EXPECT_EQ(view.size(), 6U);
}

TEST(Fields, AreChanged) {
  Fields fields = sample();
  fields.set(FieldId::vary, "c");
  EXPECT_EQ(fields.view().combined(FieldId::vary), "c");
  fields.remove("x-own");
  EXPECT_EQ(fields.find("X-Own"), std::nullopt);
  fields.remove(FieldId::etag);
  EXPECT_FALSE(fields.has(FieldId::etag));
  EXPECT_TRUE(fields.has(FieldId::vary));
  fields.set(FieldId::vary, *fields.find(FieldId::vary));
  EXPECT_EQ(fields.find(FieldId::vary), "c");
  fields.clear();
  EXPECT_TRUE(fields.view().empty());
  EXPECT_EQ(fields.view().present(), 0U);
}

TEST(Fields, OwnTheirText) {
  auto original = std::make_unique<Fields>(sample());
  const Fields copy = *original;
  Fields assigned;
  assigned.add("old", "x");
  assigned = copy;
  const Fields moved = std::move(*original);
  original.reset();
  for (const Fields* fields : {&copy, static_cast<const Fields*>(&assigned), &moved}) {
    EXPECT_EQ(fields->view().combined(FieldId::vary), "a, b");
    EXPECT_EQ(fields->find("x-own"), "1");
    EXPECT_EQ(fields->find("old"), std::nullopt);
    EXPECT_EQ(fields->text_bytes(), sample().text_bytes());
  }
}

std::string rendered(const Fields& fields) {
  std::string text;
  append_fields(text, fields.view());
  return text;
}

TEST(EndToEndFields, LeaveOutWhatIsForOneConnection) {
  Fields fields;
  for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
                           "Proxy-Authentication-Info", "Proxy-Authorization", "TE", "Trailer",
                           "Transfer-Encoding", "Upgrade", "HTTP2-Settings"}) {
    fields.add(name, "x-value");
  }
  fields.add("Content-Length", "5");
  fields.add("ETag", "\"e\"");
  fields.add("X-Own", "1");
  EXPECT_EQ(rendered(end_to_end_fields(fields.view())),
            "Content-Length: 5\r\nETag: \"e\"\r\nX-Own: 1\r\n");
}

TEST(EndToEndFields, LeaveOutWhatConnectionLists) {
  Fields fields;
  fields.add("Connection", "close, X-Own ,, ETAG");
  fields.add("connection", "x-other");
  fields.add("X-Own", "1");
  fields.add("x-OTHER", "2");
  fields.add("ETag", "\"e\"");
  fields.add("Close", "3");
  fields.add("Kept", "4");
  EXPECT_EQ(rendered(end_to_end_fields(fields.view())), "Kept: 4\r\n");
}

TEST(EndToEndFields, KeepWhatIsForAllRecipientsWhateverConnectionLists) {
  Fields fields;
  fields.add("Connection", "Cache-Control, Content-Length, Host, Vary, Date, Expires");
  fields.add("Cache-Control", "no-store");
  fields.add("Content-Length", "5");
  fields.add("Host", "h");
  EXPECT_EQ(rendered(end_to_end_fields(fields.view())),
            "Cache-Control: no-store\r\nContent-Length: 5\r\nHost: h\r\n");
}

TEST(EndToEndFields, LetNothingThroughThatALongListMayName) {
  Fields fields;
  std::string list;
  for (int i = 0; i < 100; ++i) list += "x-" + std::to_string(i) + ", ";
  fields.add("Connection", list);
  fields.add("X-99", "secret");
  fields.add("ETag", "\"e\"");
  EXPECT_EQ(rendered(end_to_end_fields(fields.view())), "ETag: \"e\"\r\n");
}

TEST(Serializer, WritesHeads) {
  std::string text;
  append_status_line(text, 200, reason_phrase(200));
  append_status_line(text, 999, "");
  append_request_line(text, "GET", "http://h/");
  append_field(text, "A", "");
  EXPECT_EQ(text, "HTTP/1.1 200 OK\r\nHTTP/1.1 999 \r\nGET http://h/ HTTP/1.1\r\nA: \r\n");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(299), "Unknown");
  EXPECT_EQ(reason_phrase(0), "Unknown");
}

TEST(SerializerDeathTest, NeverWritesALineThatWouldBeTwo) {
  std::string text;
  EXPECT_DEATH(append_field(text, "A", "b\r\nC: d"), "broken invariant");
  EXPECT_DEATH(append_field(text, "A: b", "c"), "broken invariant");
  EXPECT_DEATH(append_request_line(text, "GET", "/ HTTP/1.1\r\nX:"), "broken invariant");
  EXPECT_DEATH(append_status_line(text, 200, "O\nK"), "broken invariant");
}

TEST(ListHasToken, LooksAtWholeElementsWithoutParameters) {
  EXPECT_TRUE(list_has_token("close", "close"));
  EXPECT_TRUE(list_has_token("keep-alive , CLOSE", "close"));
  EXPECT_TRUE(list_has_token(",,trailers;q=0.5", "trailers"));
  EXPECT_TRUE(list_has_token("a;b=\"x,y\", close", "close"));
  EXPECT_FALSE(list_has_token("a;b=\"x, close, y\"", "close"));
  EXPECT_FALSE(list_has_token("closed, xclose", "close"));
  EXPECT_FALSE(list_has_token("", "close"));
}

}  // namespace
}  // namespace revcache::http
