#!/bin/sh
# Installs the release in whose folder it lies into a Vault server:
#
#	install.sh [-c] [-s SIGNERS] PLUGIN_DIRECTORY [OPTION...]
#
# It verifies the plugin for this machine by SHA256SUMS, copies it into the
# plugin_directory of Vault's configuration under a name with its version,
# registers it by version as the secrets engine aws, and prints which mounts exist
# and how to move one. It moves none.
#
#	-c          copy only: for the other nodes of a cluster, first of all
#	-s SIGNERS  refuse a release that nobody in this file (allowed_signers of
#	            ssh-keygen) has signed
#	OPTION      of vault plugin register: -args=-ambient-credentials=off
#
# Vault is that of VAULT_ADDR. The token (VAULT_TOKEN or ~/.vault-token) needs
# sys/plugins/catalog/secret/aws and, for the list, sys/mounts.
set -eu

plugin=vault-plugin-secrets-aws

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

usage() {
	echo "usage: install.sh [-c] [-s SIGNERS] PLUGIN_DIRECTORY [OPTION...]" >&2
	exit 2
}

# platform prints this machine's, as release files name it.
platform() {
	case $(uname -s) in
	Linux) os=linux ;;
	Darwin) os=darwin ;;
	*) fail "no plugin for $(uname -s) here: register it by hand" ;;
	esac
	case $(uname -m) in
	x86_64 | amd64) echo "${os}_amd64" ;;
	aarch64 | arm64) echo "${os}_arm64" ;;
	*) fail "no plugin for $(uname -m)" ;;
	esac
}

# checksum FILE prints its SHA-256.
checksum() {
	if command -v sha256sum >/dev/null; then
		sha256sum "$1" | cut -d' ' -f1
	else
		shasum -a 256 "$1" | cut -d' ' -f1
	fi
}

# verify_signature SIGNERS: SHA256SUMS is signed by one of them.
verify_signature() {
	[ -f SHA256SUMS.sig ] || fail "this release is not signed: no SHA256SUMS.sig"
	signer=$(ssh-keygen -Y find-principals -f "$1" -s SHA256SUMS.sig 2>/dev/null | head -n 1) || signer=
	[ -n "$signer" ] || fail "SHA256SUMS.sig is by nobody in $1"
	ssh-keygen -q -Y verify -f "$1" -I "$signer" -n file -s SHA256SUMS.sig <SHA256SUMS >/dev/null 2>&1 ||
		fail "SHA256SUMS.sig is not the signature of SHA256SUMS by $signer"
	echo "signed     by $signer"
}

# versions says which version each mount runs, whose paths are on standard input.
versions() {
	while read -r mount; do
		echo "  $mount $(vault read -field=running_plugin_version "sys/mounts/${mount%/}")"
	done
}

copy_only=
signers=
while getopts cs: option; do
	case $option in
	c) copy_only=yes ;;
	s) signers=$(cd "$(dirname "$OPTARG")" && pwd)/$(basename "$OPTARG") ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
directory=$(cd "$1" && pwd -P) || fail "no directory $1"
shift
cd "$(dirname "$0")"

here=$(platform)
for file in "$plugin"_v*_"$here"; do
	[ -f "$file" ] || fail "no $plugin for $here in $(pwd)"
done
version=${file#"${plugin}_"}
version=${version%"_$here"}

[ -z "$signers" ] || verify_signature "$signers"
sum=$(awk -v file="$file" '$2 == file { print $1 }' SHA256SUMS)
[ -n "$sum" ] || fail "SHA256SUMS does not have $file"
[ "$(checksum "$file")" = "$sum" ] || fail "$file is not what SHA256SUMS says: do not use it"
echo "verified   $file"

# Under a name of its own, so that mounts of other versions keep their file. The
# copy is put in place whole: Vault may start the plugin at any time.
command=${plugin}_$version
trap 'rm -f "$directory/.$command.new"' EXIT
cp "$file" "$directory/.$command.new"
chmod 0755 "$directory/.$command.new"
mv "$directory/.$command.new" "$directory/$command"
echo "installed  $directory/$command"
[ -z "$copy_only" ] || exit 0

vault plugin register -version="$version" -sha256="$sum" -command="$command" "$@" secret aws >/dev/null
echo "registered aws $version"

mounts=$(vault secrets list) || fail "the mounts cannot be listed with this token; none was moved"
existing=$(echo "$mounts" | awk 'NR > 2 && $2 == "aws" { print $1 }')
if [ -z "$existing" ]; then
	echo "No mount of type aws yet: vault secrets enable aws"
	exit 0
fi
cat <<END
Mounts of type aws, and the version that each runs:
$(echo "$existing" | versions)
To move one, for example aws/, once the file is on every node:
  vault secrets tune -plugin-version=$version aws/
  vault write sys/plugins/reload/backend mounts=aws/
How to check it, and the way back: docs/migration.md
END
