#include "revocation/admission.h"

#include <utility>

#include "revocation/object_form.h"

namespace revcache::revocation {

ObjectKind Admission::kind_of_request(http::Method method, std::string_view url,
                                      const http::FieldsView& fields) const {
  return kind_by_request(method, url, fields);
}

ObjectKind Admission::kind_of_response(ObjectKind asked, const http::ResponseHead& head) const {
  if (asked != ObjectKind::other || head.status != 200) return asked;
  return kind_by_content_type(head.fields.find(http::FieldId::content_type).value_or(""));
}

void Admission::admit(cache::AdmissionRequest request, Callback<Result<cache::Admitted>> done) {
  Result<cache::Admitted> verdict = cache::Admitted{};
  if (auto form = check_form(request.kind, request.body.bytes()); !form) {
    verdict = fail(std::move(form));
  }
  executor_.post([done = std::move(done), verdict = std::move(verdict)]() mutable {
    done(std::move(verdict));
  });
}

}  // namespace revcache::revocation
