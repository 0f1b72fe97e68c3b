# sh node.sh PROGRAM [ARGUMENT]...: Node.js as a broker wants it, where only its command line can say so.
#
# --min-semi-space-size  memory for what is young, in MB: docs/decisions/0071-what-v8-is-told-at-the-start.md
# --no-memory-reducer    compiled code outlives quiet times: the same
# --openssl-config       no tickets after a handshake: docs/decisions/0066-no-tickets-after-a-handshake.md

exec node --min-semi-space-size=4 --no-memory-reducer --openssl-config="${OPENSSL_CONF:-${0%/*}/openssl.cnf}" "$@"
