#include "revocation/admission.h"

#include <memory>
#include <utility>

#include "revocation/object_form.h"

namespace revcache::revocation {

namespace {

// Travels to a pool thread and back.
struct Judging {
  cache::AdmissionRequest request;
  Result<cache::Admitted> verdict = cache::Admitted{};
  Callback<Result<cache::Admitted>> done;
};

}  // namespace

ObjectKind Admission::kind_of_request(http::Method method, std::string_view url,
                                      const http::FieldsView& fields) const {
  return kind_by_request(method, url, fields);
}

ObjectKind Admission::kind_of_response(ObjectKind asked, const http::ResponseHead& head) const {
  if (asked != ObjectKind::other || head.status != 200) return asked;
  return kind_by_content_type(head.fields.find(http::FieldId::content_type).value_or(""));
}

void Admission::admit(cache::AdmissionRequest request, Callback<Result<cache::Admitted>> done) {
  auto judging = std::make_shared<Judging>();
  judging->request = std::move(request);
  judging->done = std::move(done);
  if (auto verdict = evidence_.consider_now(judging->request)) {
    judging->verdict = *std::move(verdict);
    return executor_.post([judging] { judging->done(std::move(judging->verdict)); });
  }
  const bool submitted = background_.submit(
      net::WorkKind::parse,
      [judging, this] { judging->verdict = evidence_.consider(judging->request); },
      [judging] { judging->done(std::move(judging->verdict)); });
  if (submitted) return;
  executor_.post([judging] {
    judging->done(fail(ErrorCode::overloaded, Blame::local, "too many bodies are being verified"));
  });
}

}  // namespace revcache::revocation
