#!/bin/sh
# Makes ocsp_request/*.der: requests as openssl writes them, for a small CA made on the spot. Serials
# are fixed; keys, and so key hashes, nonces and signatures, are new each time.
set -eu
cd "$(dirname "$0")"
out=$PWD/ocsp_request
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -new -x509 -key ca.key -subj "/CN=Test Root" -days 3650 -set_serial 1 -out ca.pem
for serial in 0x10 0x7fedcba9876543210fedcba987654321; do
  openssl ecparam -name prime256v1 -genkey -noout -out leaf.key
  openssl req -new -key leaf.key -subj "/CN=leaf" -out leaf.csr
  openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial "$serial" -days 30 \
    -out "leaf-$serial.pem" 2>/dev/null
done
short=leaf-0x10.pem
long=leaf-0x7fedcba9876543210fedcba987654321.pem

ask() {  # name, then arguments of openssl ocsp
  name=$1
  shift
  openssl ocsp -issuer ca.pem "$@" -reqout "$out/$name.der"
}
mkdir -p "$out"
ask good_sha1 -no_nonce -cert $long
ask good_sha256 -no_nonce -sha256 -cert $long
ask good_sha384 -no_nonce -sha384 -cert $long
ask good_nonce -nonce -cert $long
ask good_two_requests -no_nonce -cert $long -cert $short
ask good_signed -no_nonce -cert $long -signer ca.pem -signkey ca.key
