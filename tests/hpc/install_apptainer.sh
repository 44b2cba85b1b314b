#!/usr/bin/env bash
# Installs an Apptainer where there is none, and makes a base for images where no registry is at hand.
#   install_apptainer.sh FOLDER
# Debian 12 has no Apptainer. Unstable's is taken, and put on trixie's C library in FOLDER/lib, which the rest of the
# machine does not see. On a cluster Apptainer is simply there.
set -euo pipefail
folder=$1
mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
mkdir -p "$folder/packages" "$folder/lib"

# apt-get for another suite, from the mirror and with the keys of this machine's own settings.
of_suite() {
  local suite="$folder/packages/$1"
  mkdir -p "$suite/lists/partial" "$suite/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$suite/sources.list"
  apt-get -o Dir::Etc::SourceList="$suite/sources.list" -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root \
    -o Dir::State::Lists="$suite/lists" -o Dir::Cache="$suite/cache" "${@:2}"
}

if ! apptainer --version; then
  apt-get update
  apt-get install --yes --no-install-recommends \
    patchelf squashfs-tools uidmap squashfuse fuse2fs fuse-overlayfs mmdebstrap
  cd "$folder/packages"
  rm -f ./*.deb
  of_suite sid update
  of_suite sid download apptainer
  of_suite trixie update
  of_suite trixie download libc6 libseccomp2 libsqlite3-0
  for package in libc6_*.deb libseccomp2_*.deb libsqlite3-0_*.deb; do
    dpkg-deb --extract "$package" aside
  done
  find aside -name '*.so*' -not -type d -path '*x86_64*' -exec cp --no-dereference --target-directory "$folder/lib" {} +
  dpkg-deb --extract apptainer_*.deb /
  for program in /usr/bin/apptainer /usr/lib/x86_64-linux-gnu/apptainer/bin/starter; do
    patchelf --set-interpreter "$folder/lib/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$folder/lib" "$program"
  done
  apptainer --version
  cd -
  rm -rf "$folder/packages"
fi

# `apptainer build --fakeroot` maps the users of an image to these.
for file in /etc/subuid /etc/subgid; do
  grep -q '^root:' "$file" || echo root:300000:65536 >>"$file"
done
if [ ! -d "$folder/base" ]; then
  mmdebstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$folder/base.part" "$mirror"
  # Devices can't be copied without privileges; and what is installed inside trusts whom this machine trusts.
  rm -rf "$folder/base.part/dev"/*
  cp /etc/ssl/certs/ca-certificates.crt "$folder/base.part/etc/ssl/certs/ca-certificates.crt"
  mv "$folder/base.part" "$folder/base"
fi
