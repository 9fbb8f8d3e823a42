#!/usr/bin/env bash
# Makes packages/run-record-archiver_VERSION_ARCH.deb, where rpmbuild is here the .rpm, and the list of what is in them (.cdx.json): npm run package
# Needs dpkg-deb (Debian: dpkg), rpmbuild (Debian: rpm), and the npm registry or its cache. Writes below packages/ alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=run-record-archiver
version=$(node -p 'require("./package.json").version')
# libsql brings a binary for the processor, so the package is for one kind of processor.
arch=$(dpkg --print-architecture 2>/dev/null || echo amd64)
out=packages
stage=$(mktemp -d)
trap 'rm -rf "$stage" "$stage.cdx.json" "$stage.json"' EXIT
umask 022
chmod 755 "$stage"

[ -f dist/main.js ] || npm run --silent build

lib=$stage/usr/lib/$name
install -d "$lib" "$stage/usr/bin" "$stage/etc/$name" "$stage/usr/lib/systemd/system" "$stage/usr/lib/sysusers.d" \
    "$stage/usr/lib/tmpfiles.d" "$stage/usr/share/man/man1" "$stage/usr/share/doc/$name" \
    "$stage/usr/share/bash-completion/completions" "$stage/usr/share/zsh/vendor-completions" \
    "$stage/usr/share/fish/vendor_completions.d"

# What npm would publish, and the libraries that it needs at run time; no install script of theirs runs.
npm pack --silent --ignore-scripts --pack-destination "$stage" >/dev/null
tar -xzf "$stage"/*.tgz -C "$lib" --strip-components=1
rm "$stage"/*.tgz
cp package-lock.json .npmrc "$lib"
npm ci --prefix "$lib" --omit=dev --omit=peer --ignore-scripts --no-audit --no-fund --silent
# What is in the package, for whoever has to know (CycloneDX): what is installed there, so without the libraries of developers.
sbom=$stage.cdx.json
cp "$lib/package.json" "$stage.json"
npm pkg delete devDependencies --prefix "$lib"
npm sbom --prefix "$lib" --sbom-format=cyclonedx >"$sbom"
mv "$stage.json" "$lib/package.json"
rm -f "$lib/package-lock.json" "$lib/.npmrc" "$lib/node_modules/.package-lock.json"
# tmpfiles.d, sysusers.d and modes are the package's; nothing in it is for its owner alone.
chmod -R u+rwX,go+rX,go-w "$lib"

ln -s "../lib/$name/dist/main.js" "$stage/usr/bin/run-archiver"
install -m 640 config.example.yaml "$stage/etc/$name/config.yaml"
for unit in systemd/*.service systemd/*.timer systemd/*.socket; do
    [ ! -f "$unit" ] || install -m 644 "$unit" "$stage/usr/lib/systemd/system/"
done
install -m 644 scripts/package/sysusers.conf "$stage/usr/lib/sysusers.d/$name.conf"
install -m 644 scripts/package/tmpfiles.conf "$stage/usr/lib/tmpfiles.d/$name.conf"
gzip -9n <docs/run-archiver.1 >"$stage/usr/share/man/man1/run-archiver.1.gz"
install -m 644 docs/completions/run-archiver.bash "$stage/usr/share/bash-completion/completions/run-archiver"
install -m 644 docs/completions/run-archiver.fish "$stage/usr/share/fish/vendor_completions.d/run-archiver.fish"
if [ -f docs/completions/_run-archiver ]; then
    install -m 644 docs/completions/_run-archiver "$stage/usr/share/zsh/vendor-completions/_run-archiver"
fi
install -m 644 LICENSE "$stage/usr/share/doc/$name/copyright"
install -m 644 "$sbom" "$stage/usr/share/doc/$name/sbom.cdx.json"
gzip -9n <CHANGELOG.md >"$stage/usr/share/doc/$name/changelog.gz"

mkdir -p "$out"
install -m 644 "$sbom" "$out/${name}_$version.cdx.json"

make_deb() {
    local control=$stage/DEBIAN
    install -d "$control"
    cat >"$control/control" <<EOF
Package: $name
Version: $version
Architecture: $arch
Maintainer: Run Record Archiver maintainers <maintainers@run-record-archiver.invalid>
Section: science
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$stage" | cut -f1)
Depends: nodejs (>= 20.19), util-linux, adduser | systemd
Recommends: systemd
Description: archives run records and proves that nothing was lost
 Moves every run record of a detector, one directory of configuration files
 a run, through two stages: run record directories, artdaqDB, UconDB.
EOF
    echo "/etc/$name/config.yaml" >"$control/conffiles"
    for script in postinst prerm postrm; do install -m 755 "scripts/package/$script" "$control/$script"; done
    dpkg-deb --root-owner-group --build "$stage" "$out/${name}_${version}_$arch.deb" >/dev/null
    rm -r "$control"
    echo "$out/${name}_${version}_$arch.deb"
}

make_rpm() {
    local top=$stage.rpm target
    case $arch in amd64) target=x86_64 ;; arm64) target=aarch64 ;; *) target=$arch ;; esac
    mkdir -p "$top"
    sed -e "s/@VERSION@/$version/" scripts/package/run-record-archiver.spec >"$top/$name.spec"
    rpmbuild -bb --quiet --target "$target" --define "_topdir $top" --define "stage $stage" "$top/$name.spec"
    mv "$top"/RPMS/*/*.rpm "$out/"
    rm -r "$top"
    ls "$out"/*.rpm
}

if command -v dpkg-deb >/dev/null; then make_deb; else echo "no .deb: dpkg-deb is not installed"; fi
if command -v rpmbuild >/dev/null; then make_rpm; else echo "no .rpm: rpmbuild is not installed"; fi
