#!/bin/sh
# Builds the vendor's command-line client, `re`, from its published crate into the folder $1, as $1/bin/re.
#
# The crate's build script downloads the C library that its PST reader links. It skips the download where the sources lie
# unpacked among its dependencies already, so they are put there: PyPI's libpff-python holds the same release of them.
# Needs cargo, a C compiler, make and pip; takes some minutes once. Nothing is written outside of $1 and cargo's own caches.
set -eu

VERSION=0.43.0
LIBPFF=20231205
LIBPFF_SHA256=06c218be51321b16dc3b835185ee1cd2fa5c2a1ca856e0390c1d6e4ddf329250

into=$1
target=$into/target
sources=$target/release/deps/libpff-$LIBPFF
mkdir -p "$target/release/deps" "$into/sdist"

if [ ! -x "$sources/configure" ]; then
    # hash checking makes pip refuse another file of the same name
    printf 'libpff-python==%s --hash=sha256:%s\n' "$LIBPFF" "$LIBPFF_SHA256" >"$into/sdist/requirements.txt"
    "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
        --dest "$into/sdist" --requirement "$into/sdist/requirements.txt"
    rm -rf "$sources" "$sources.new"
    mkdir "$sources.new"
    tar -xzf "$into/sdist/libpff-python-$LIBPFF.tar.gz" -C "$sources.new" --strip-components 1
    mv "$sources.new" "$sources"
fi

CARGO_TARGET_DIR=$target nice cargo install --quiet reinfer-cli --version "$VERSION" --locked --root "$into"
