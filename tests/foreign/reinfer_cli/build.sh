#!/bin/sh
# Builds the CLI of Re:infer, `re`, from its published crate. Usage: build.sh FOLDER [PYTHON]. The result is FOLDER/bin/re.
#
# The build script of the crate downloads the C library libpff for its PST reader, unless the sources are unpacked in the folder
# of dependencies. This script unpacks them there from the package libpff-python of PyPI, which contains the same release.
# Requires cargo, a C compiler, make, the OpenSSL headers, and a PYTHON with pip. The build takes some minutes.
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
    # The hash makes pip refuse any other file of this name.
    printf 'libpff-python==%s --hash=sha256:%s\n' "$LIBPFF" "$LIBPFF_SHA256" >"$into/sdist/requirements.txt"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
        --dest "$into/sdist" --requirement "$into/sdist/requirements.txt"
    tar -xzf "$into/sdist/libpff-python-$LIBPFF.tar.gz" -C "$sources" --strip-components 1
fi

# The tests do not need a fast client, and a build without optimization is much faster.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_DEBUG=0

CARGO_TARGET_DIR=$target nice cargo install --quiet reinfer-cli --version "$VERSION" --locked --root "$into"
rm -rf "$target" "$into/sdist"
