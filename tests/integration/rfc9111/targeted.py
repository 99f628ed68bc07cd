"""RFC 9213: CDN-Cache-Control, meant for caches like this one."""

from harness.table import answer, case, hit, miss, validated

LONG = "Cache-Control: max-age=1000"
NONE = "Cache-Control: no-store"
CDN = "CDN-Cache-Control: "


def stored(name, section, *lines):
    return case(name, section, [answer(*lines)], [miss(), hit()])


def not_stored(name, section, *lines):
    return case(name, section, [answer(*lines)] * 2, [miss(), miss()])


ROWS = [
    stored("max-age-against-no-store", "9213 2.2", NONE, CDN + "max-age=1000"),
    stored("max-age-against-zero", "9213 2.2", "Cache-Control: max-age=0", CDN + "max-age=1000"),
    stored("max-age-against-old-expires", "9213 2.2", "Expires: {-60}", CDN + "max-age=1000"),
    stored("max-age-alone", "9213 2.2", CDN + "max-age=1000"),
    stored("max-age-against-private", "9213 2.2", "Cache-Control: private", CDN + "max-age=1000"),
    not_stored("no-store-against-max-age", "9213 2.2", LONG, CDN + "no-store"),
    not_stored("private-against-public", "9213 2.2", "Cache-Control: public, max-age=1000",
               CDN + "private"),
    not_stored("zero-against-max-age", "9213 2.2", LONG, CDN + "max-age=0"),
    not_stored("zero-against-expires", "9213 2.2", "Expires: {+1000}", CDN + "max-age=0"),
    case("no-cache-against-max-age", "9213 2.2",
         [answer(LONG, CDN + "no-cache", 'ETag: "v1"'), answer('ETag: "v1"', status=304)],
         [miss(), validated(sees=('If-None-Match: "v1"',))]),
    stored("s-maxage-inside", "9213 2.2", NONE, CDN + "max-age=0, s-maxage=1000"),
    stored("parameters-are-ignored", "9213 2.1", NONE, CDN + "max-age=1000;ext=1"),
    stored("unknown-members-are-ignored", "9213 2.1", NONE, CDN + "foo=?0, max-age=1000, bar"),
    stored("two-lines-are-one-dictionary", "8941 3.2", NONE, CDN + "foo", CDN + "max-age=1000"),
    stored("the-last-duplicate-key-counts", "8941 4.2.2", NONE, CDN + "max-age=0, max-age=1000"),
    # Not a Dictionary: the field is ignored as a whole, and Cache-Control rules.
    stored("a-broken-dictionary-is-ignored", "9213 2.1", LONG, CDN + "max-age=0,,"),
    not_stored("a-broken-dictionary-does-not-help", "9213 2.1", NONE, CDN + "max-age=1000 x"),
    not_stored("upper-case-is-no-key", "8941 3.2", NONE, CDN + "MAX-AGE=1000"),
    not_stored("spaces-around-the-equals-sign", "8941 3.2", NONE, CDN + "max-age = 1000"),
    not_stored("an-empty-field-is-ignored", "9213 2.1", NONE, CDN),
    case("the-age-still-counts", "9213 2.2", [answer(CDN + "max-age=100", "Age: 100")] * 2,
         [miss(), miss()]),
    case("the-field-is-handed-on", "9213 2", [answer(NONE, CDN + "max-age=1000")],
         [miss(has=(NONE,)), hit(has=(NONE,))]),
    not_stored("another-target-is-not-us", "9213 2", NONE, "Example-Cache-Control: max-age=1000"),
    not_stored("surrogate-control-is-not-us", "9213 2", NONE, "Surrogate-Control: max-age=1000"),
]
