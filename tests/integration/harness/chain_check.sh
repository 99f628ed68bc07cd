#!/bin/sh
# The revocation check of NPS with the openssl command: the client's certificate and every CA below
# the root, each by what is known to say something about it; what cannot be had is refused.
# usage: chain_check.sh SETTINGS CERTIFICATE; exit status 0: let in. SETTINGS holds shell variables:
# directory, root, issuing (PEM), proxy (WinHTTP's; may be empty), ocsp_url (property 81 of the root;
# may be empty), signer (whose answers are trusted), verdicts (a file that gets one line each time).
# shellcheck disable=SC1090,SC2154
. "$1"
leaf=$2
limit=4  # seconds for each question: the server ends a script after ten

verdict() {
  { printf '%s' "$*" | tr '\n' ' ' && echo; } >>"$verdicts"
  [ "$1" = accept ]
  exit
}

# The leaf: its CRL, from its distribution point.
url=$(openssl x509 -in "$leaf" -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p')
[ -n "$url" ] || verdict deny 258 leaf names no CRL
curl --silent --fail --max-time $limit --proxy "$proxy" --noproxy "" --output "$directory/leaf.crl" \
  "$url" || verdict deny 259 no CRL from "$url"
openssl crl -inform DER -in "$directory/leaf.crl" -out "$directory/leaf.crl.pem" ||
  verdict deny 258 no CRL in what "$url" gave
said=$(openssl verify -CAfile "$root" -untrusted "$issuing" -crl_check \
  -CRLfile "$directory/leaf.crl.pem" "$leaf" 2>&1)
case $said in
  "$leaf: OK") ;;
  *"certificate revoked"*) verdict deny 256 leaf revoked ;;
  *) verdict deny 258 "$said" ;;
esac

# The issuing CA names neither CRL nor responder: only the URL that the root's store entry adds.
[ -n "$ocsp_url" ] || verdict deny 258 issuing CA: no revocation information
said=$(openssl ocsp -issuer "$root" -cert "$issuing" -no_nonce -url "$ocsp_url" -timeout $limit \
  -CAfile "$root" -VAfile "$signer" 2>&1) || verdict deny 259 issuing CA: "$said"
case $said in
  *"WARNING"*) verdict deny 258 issuing CA: "$said" ;;
  *"Response verify OK"*"$issuing: good"*) verdict accept ;;
  *"Response verify OK"*"$issuing: revoked"*) verdict deny 256 issuing CA revoked ;;
  *) verdict deny 258 issuing CA: "$said" ;;
esac
