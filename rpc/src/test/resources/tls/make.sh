#!/usr/bin/env bash
# Makes the certificates of the TLS tests anew (valid for 100 years): a CA, one leaf per role, and a CA nobody trusts.
set -euo pipefail
cd "$(dirname "$0")"
ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=$2" -keyout "$1.key" -out "$1.pem" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"; }
leaf() { # file, common name, subject alternative names, CA
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$4.pem" -CAkey "$4.key" -CAcreateserial -days 36500 -out "$1.pem" \
    -extfile <(printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$3")
  rm "$1.csr"
}
ca ca "Caisson test CA"
ca other-ca "Caisson other test CA"
leaf server "server" "DNS:localhost,DNS:foo.test.google.fr,IP:127.0.0.1,IP:::1" ca
leaf wrong-host "wrong-host" "DNS:wrong.example" ca
leaf client "client" "DNS:client.example" ca
leaf stranger "stranger" "DNS:stranger.example" other-ca
openssl pkcs8 -topk8 -in server.key -passout pass:secret -v2 aes-256-cbc -out server-encrypted.key
rm -f ./*.srl other-ca.key ca.key
