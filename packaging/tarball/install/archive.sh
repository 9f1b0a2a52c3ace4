# The archive: whose it is, and that it is whole.

no_room() {
    fail "there is no room for a copy of the archive in $root/var/lib: free 20 MB there; nothing was changed"
}

# Takes the archive's files to a folder of one's own, so that nobody changes them between here and their places. Nothing is taken
# but what the list names, and no name that leads elsewhere.
take() {
    mkdir "$stage/from"
    sed 's/^[0-9a-f]* [ *]//' "$stage/SHA256SUMS" | sort >"$stage/listed"
    if grep -q -e '^/' -e '^\(.*/\)\{0,1\}\.\.\(/\|$\)' "$stage/listed"; then
        fail 'SHA256SUMS names files outside of the archive: get the archive again; nothing was changed'
    fi
    while read -r file; do
        # What lacks is told by the checksums, with the name.
        [ -f "$here/$file" ] && [ ! -L "$here/$file" ] || continue
        mkdir -p "$stage/from/$(dirname "$file")" && cp "$here/$file" "$stage/from/$file" ||
            no_room
    done <"$stage/listed"
}

# The public key in the form that gpgv and gpg read: what is between the lines of an armoured one.
dearmoured() {
    if grep -q '^-----BEGIN PGP PUBLIC KEY BLOCK-----' "$key"; then
        command -v base64 >/dev/null || lacks "base64 is not here: name the key in its binary form (gpg --dearmor)"
        sed -n '/^-----BEGIN/,/^-----END/p' "$key" | tr -d '\r' | sed -e '1,/^$/d' -e '/^-----END/d' -e '/^=/d' | base64 -d
    else
        cat "$key"
    fi
}

# Whether SHA256SUMS.sig is a signature of SHA256SUMS by that key; what the tool said is in $stage/said.
signed() {
    dearmoured >"$stage/key.gpg" || return 1
    (umask 077 && mkdir "$stage/home")
    if command -v gpgv >/dev/null; then
        gpgv --homedir "$stage/home" --keyring "$stage/key.gpg" --status-fd 1 \
            "$stage/SHA256SUMS.sig" "$stage/SHA256SUMS" >"$stage/status" 2>"$stage/said" || return 1
    elif command -v sqv >/dev/null; then
        # What apt of Debian 13 has. Its status alone tells.
        sqv --keyring "$stage/key.gpg" "$stage/SHA256SUMS.sig" "$stage/SHA256SUMS" >"$stage/said" 2>&1
        return
    else
        gpg --homedir "$stage/home" --batch --no-options --no-autostart --no-default-keyring --keyring "$stage/key.gpg" \
            --trust-model always --no-auto-key-retrieve --status-fd 1 \
            --verify "$stage/SHA256SUMS.sig" "$stage/SHA256SUMS" >"$stage/status" 2>"$stage/said" || return 1
    fi
    # A key that has expired or was revoked is told by another word, though both tools may end with 0.
    grep -q '^\[GNUPG:\] GOODSIG ' "$stage/status" && ! grep -q '^\[GNUPG:\] \(EXPKEYSIG\|REVKEYSIG\|BADSIG\|ERRSIG\) ' "$stage/status"
}

# The signature of the list, before anything in it is heeded.
believed() {
    [ -f "$key" ] || fail "there is no key $key; nothing was changed"
    if ! command -v gpgv >/dev/null && ! command -v gpg >/dev/null && ! command -v sqv >/dev/null; then
        lacks "neither gpgv nor gpg nor sqv is here, so the signature can't be checked. Install one (gpgv, gnupg), or check the" \
            'archive on another machine and say --checksums-only here; nothing was changed'
    fi
    [ -f "$here/SHA256SUMS.sig" ] || fail 'the archive has no signature (SHA256SUMS.sig): get one that has; nothing was changed'
    cp "$here/SHA256SUMS.sig" "$stage/SHA256SUMS.sig" || no_room
    if ! signed; then
        shown "$stage/said"
        fail "the signature is not one by the key in $key: get archive and key again, and compare the key's fingerprint with the" \
            "one that is published; where the key has expired, or the clock is wrong ($(date)), mend that; nothing was changed"
    fi
}

# The signature, then every checksum, and that there is nothing else.
sound() {
    [ -f "$here/SHA256SUMS" ] || fail 'there is no SHA256SUMS beside install.sh: unpack the whole archive, and start install.sh there'
    command -v sha256sum >/dev/null || lacks 'sha256sum is not here, so nothing can be checked: install coreutils or busybox'
    cp "$here/SHA256SUMS" "$stage/SHA256SUMS" || no_room
    [ -z "$key" ] || believed
    take
    (cd "$stage/from" && sha256sum -c ../SHA256SUMS) >"$stage/sums" 2>/dev/null || {
        grep -v ': OK$' "$stage/sums" >"$stage/said" || true
        shown "$stage/said"
        fail 'these files are not as they were packed: get the archive again; nothing was changed'
    }
    (cd "$here" && find . ! -type d | grep -vx -e ./SHA256SUMS -e ./SHA256SUMS.sig | sort) >"$stage/there"
    if ! cmp -s "$stage/there" "$stage/listed"; then
        fail "the folder has other files than SHA256SUMS lists: unpack the archive into a folder of its own; nothing was changed"
    fi
}
