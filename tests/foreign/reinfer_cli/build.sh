#!/bin/sh
# Builds the vendor's command-line client, `re`, from its published crate: build.sh FOLDER [PYTHON] makes FOLDER/bin/re.
#
# The crate's build script downloads the C library that its PST reader links. It skips the download where the sources lie
# unpacked among its dependencies already, so they are put there: PyPI's libpff-python holds the same release of them.
# Needs cargo, a C compiler, make, OpenSSL's headers, and a PYTHON with pip. Takes minutes, once.
set -eu

VERSION=0.43.0
LIBPFF=20231205
LIBPFF_SHA256=06c218be51321b16dc3b835185ee1cd2fa5c2a1ca856e0390c1d6e4ddf329250

into=$1
python=${2:-python3}
target=$into/target
sources=$target/release/deps/libpff-$LIBPFF

if [ ! -x "$sources/configure" ]; then
    mkdir -p "$sources" "$into/sdist"
    # With a hash, pip refuses another file of the same name.
    printf 'libpff-python==%s --hash=sha256:%s\n' "$LIBPFF" "$LIBPFF_SHA256" >"$into/sdist/requirements.txt"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
        --dest "$into/sdist" --requirement "$into/sdist/requirements.txt"
    tar -xzf "$into/sdist/libpff-python-$LIBPFF.tar.gz" -C "$sources" --strip-components 1
fi

# Tests need no fast client, and one without optimization is built in a fraction of the time.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_DEBUG=0

CARGO_TARGET_DIR=$target nice cargo install --quiet reinfer-cli --version "$VERSION" --locked --root "$into"
rm -rf "$target" "$into/sdist"
