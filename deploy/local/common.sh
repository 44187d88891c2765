# Functions that run and check share. Sourced by bash; `root` is the project's root.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo > /dev/null; then sudo "$@"
    else die "this needs root or sudo: $*"
    fi
}

apt_install() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

# install_packages FILE...: apt packages that are not installed yet.
install_packages() {
    local wanted missing=() package
    mapfile -t wanted < <(grep -hv '^#' "$@")
    for package in "${wanted[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' \
            || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return 0
    say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
    apt_install "${missing[@]}"
}

# Node.js comes in two steps: any node with npm bootstraps, then the lock files' own Node.js runs things.
install_node() {
    command -v npm > /dev/null && return 0
    say "Installing Node.js and npm to fetch the pinned Node.js"
    apt_install nodejs npm
}

# npm_install DIR: npm ci, when the lock file changed since the last time.
npm_install() {
    local dir=$1 stamp="$1/node_modules/.sluice-lock" sum
    sum=$(sha256sum "$dir/package-lock.json" | cut -d' ' -f1)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && return 0
    say "Installing npm packages of ${dir#"$root"/} from its lock file"
    (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error >&2)
    echo "$sum" > "$stamp"
}

# build PRESET [TARGET...]
build() {
    local preset=$1
    shift
    mkdir -p "$root/build"
    if [ ! -f "$root/build/$preset/build.ninja" ]; then
        (cd "$root" && cmake --preset "$preset" > "$root/build/$preset.log" 2>&1) \
            || { cat "$root/build/$preset.log" >&2; die "cmake could not configure build/$preset"; }
    fi
    if [ $# -gt 0 ]; then
        (cd "$root" && cmake --build "build/$preset" --target "$@" >&2)
    else
        (cd "$root" && cmake --build "build/$preset" >&2)
    fi
}
