# What no Debian 12 package brings: built or fetched once into a cache, with pinned versions.
# Sourced by deploy/setup (which fills the cache) and deploy/dev/services (which uses it).
# shellcheck shell=bash disable=SC2034 # its variables are used by who sources it

versitygw_version=v1.8.0
go_minimum=1.25.0 # what go.mod of that versitygw asks for
hls_version=1.6.15

dev_dir=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cache=${MEDIAFLEET_CACHE:-$HOME/.cache/mediafleet}
requirements=$dev_dir/../../tests/requirements.txt
peers_requirements=$dev_dir/../../tests/bench/requirements.txt

versitygw=$cache/bin/versitygw-$versitygw_version
# Named after the sources, so that an edited Store.java is compiled again.
store=$cache/store/$(cat "$dev_dir"/store/{pom.xml,*.java,*.patch} | sha256sum | cut -c1-16)

# Runs one of the functions below unless its result exists; one at a time on this machine.
tool_make() { # NAME
    "have_$1" && return
    echo "mediafleet: preparing $1 ..." >&2
    mkdir -p "$cache"
    (
        flock 8
        "have_$1" && exit
        work=$(mktemp -d "$cache/tmp.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        "make_$1" "$work" </dev/null >"$work/log" 2>&1 8>&- ||
            { cat "$work/log" >&2; echo "mediafleet: cannot prepare $1" >&2; exit 1; }
    ) 8>"$cache/lock"
}

# Each make_NAME works in an empty directory that is removed afterwards. The shell's -e does not
# reach into them, hence the chains of &&.

have_versitygw() { [[ -x $versitygw ]]; }
make_versitygw() { # WORK
    # Everything that the build leaves behind goes away with the work directory.
    export GOPATH=$1/go GOCACHE=$1/cache GOBIN=$1 GOFLAGS=-modcacherw GOTOOLCHAIN=local CGO_ENABLED=0
    local go
    cd "$1" &&
        go=$(find_go) &&
        "$go" install -ldflags='-s -w' "github.com/versity/versitygw/cmd/versitygw@$versitygw_version" &&
        mkdir -p "$(dirname "$versitygw")" &&
        mv versitygw "$versitygw"
}

# Prints a compiler that can build versitygw. Debian 12's own is too old, but it can download a
# newer one as a module, checked against the public checksum database like any other module.
# Modules carry no execute bits, hence the chmod.
find_go() {
    local go=go directory
    if ! go_is_new_enough go; then
        directory=$(go mod download -json "golang.org/toolchain@v0.0.1-go$go_minimum.linux-$(dpkg --print-architecture)" |
            sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') &&
            chmod -R +x "$directory/bin" "$directory/pkg/tool" &&
            go=$directory/bin/go || return
    fi
    echo "$go"
}

go_is_new_enough() { # COMMAND
    local found
    found=$("$1" env GOVERSION 2>/dev/null) || return
    printf 'go%s\n%s\n' "$go_minimum" "$found" | sort -VC
}

have_store() { [[ -d $store ]]; }
make_store() { # WORK
    mvn -q -B -f "$dev_dir/store/pom.xml" dependency:copy-dependencies -DoutputDirectory="$1/store/jars" &&
        javac -Xlint:all,-processing -d "$1/store/classes" -cp "$1/store/jars/*" "$dev_dir"/store/*.java &&
        patch_store "$1/sources" &&
        javac -d "$1/store/classes" -cp "$1/store/jars/*" "$1/sources/$store_patched" &&
        mkdir -p "$(dirname "$store")" &&
        mv "$1/store" "$store"
}

# The one class that is changed comes before the jar it is from.
store_patched=de/bwaldvogel/mongo/backend/Utils.java
patch_store() { # DIRECTORY
    mvn -q -B -f "$dev_dir/store/pom.xml" dependency:unpack-dependencies -Dclassifier=sources \
        -DincludeArtifactIds=mongo-java-server-core -Dmdep.unpack.includes="$store_patched" \
        -DoutputDirectory="$1" -DmarkersDirectory="$1/markers" &&
        patch -d "$1" -p1 <"$dev_dir/store/paths.patch"
}

have_hls() { [[ -f $cache/hls/hls.min.js && $(cat "$cache/hls/version" 2>/dev/null) == "$hls_version" ]]; }
make_hls() { # WORK
    cd "$1" &&
        npm pack --silent "hls.js@$hls_version" &&
        tar xzOf "hls.js-$hls_version.tgz" package/dist/hls.min.js >hls.min.js &&
        mkdir -p "$cache/hls" &&
        mv hls.min.js "$cache/hls/hls.min.js" &&
        echo "$hls_version" >"$cache/hls/version"
}

have_venv() { is_venv "$cache/venv" "$requirements"; }
make_venv() { fill_venv "$cache/venv" "$requirements"; }

# What tests/bench measures the fleet against.
have_peers() { is_venv "$cache/peers" "$peers_requirements"; }
make_peers() { fill_venv "$cache/peers" "$peers_requirements"; }

# The copy of the requirements is written last: it says that the environment is complete.
is_venv() { cmp -s "$2" "$1/requirements.txt"; } # DIRECTORY REQUIREMENTS
fill_venv() { # DIRECTORY REQUIREMENTS
    # Debian's own interpreter: another python3 on the PATH may lack the venv module.
    /usr/bin/python3 -m venv --clear "$1" &&
        "$1/bin/pip" install --quiet -r "$2" &&
        cp "$2" "$1/requirements.txt"
}
