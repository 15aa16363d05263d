#!/usr/bin/env bash
# The compiled core under AddressSanitizer, and with bounds checks and assertions: every harness, then the codec's tests.
#
#     fuzz/asan.sh [SECONDS for each harness, 60] [address|checked, both]
#
# Each of the two is built in a copy of the checkout, with an environment of its own, and nothing is left behind but what
# a fuzzer found.  Needs Python 3.11 with the C headers, a package index and clang; with gcc alone the memory is watched
# as well, but the fuzzer does not see which branches of the core an input takes.
#
# atheris brings a libFuzzer that is linked with AddressSanitizer (asan_with_fuzzer.so).  Preloaded, it is the fuzzer
# for Python and for the instrumented core alike; the harnesses see that it is there.
set -uo pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
seconds=${1:-60}
builds=${2:-address checked}
python=${PYTHON:-python3}
export PIP_DISABLE_PIP_VERSION_CHECK=1 SAFEPICKLE_REQUIRE_EXT=1
unset SAFEPICKLE_PURE LD_PRELOAD
root=$PWD
kept=$root/build/found  # what breaks an invariant is kept here
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=()

build() {  # build NAME [VARIABLE=VALUE...]: a copy of the checkout in $scratch/NAME/safepickle, built
    local name=$1
    shift
    mkdir -p "$scratch/$name/safepickle"
    git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- --ignore-failed-read \
        | tar -x -C "$scratch/$name/safepickle" || return 1
    # The corpus of other people's pickles, which some tests read where it is there.
    [ -d "$root/../shared" ] && ln -s "$(cd "$root/../shared" && pwd)" "$scratch/$name/shared"
    "$python" -m venv "$scratch/$name/env" || return 1
    cd "$scratch/$name/safepickle" && env "$@" "$scratch/$name/env/bin/pip" install -q -e '.[test]'
}

tests() {  # what is about speed, about how the source reads, or about the sources as they are is left out
    "$1/env/bin/python" -m pytest -q -p no:cacheprovider --ignore=tests/test_house.py \
        --ignore=tests/test_readme.py --ignore=tests/test_bench.py --ignore=tests/test_growth.py \
        --ignore-glob='tests/test_policy*' --ignore=tests/test_documentation_examples.py "${@:2}"
}

harnesses() {
    local harness name
    for harness in fuzz/fuzz_*.py; do
        name=$(basename "$harness" .py)
        mkdir -p "$kept" "$1/new/$name"
        printf '== %s for %d seconds\n' "$harness" "$seconds"
        "$1/env/bin/python" "$harness" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=120 \
            -artifact_prefix="$kept/$name-" "$1/new/$name" >"$1/$name.log" 2>&1 \
            || { tail -n 80 "$1/$name.log"; failed+=("$name ($(basename "$1"))"); continue; }
        tail -n 2 "$1/$name.log"
    done
}

both() {  # both NAME [OPTION...]: the fuzzers and the tests on that build, with options for these
    harnesses "$scratch/$1"
    tests "$scratch/$1" "${@:2}" || failed+=("the tests ($1)")
}

address() {
    local flags="-O1 -g -fno-omit-frame-pointer -fsanitize=address" runtime compiler=gcc
    if command -v clang >/dev/null; then
        compiler=clang flags+=,fuzzer-no-link
    fi
    build address CC="$compiler" CFLAGS="$flags" || { failed+=("the build for AddressSanitizer"); return; }
    runtime=$(echo "$scratch"/address/env/lib/python*/site-packages/asan_with_fuzzer.so)
    [ "$compiler" = clang ] || runtime=$(gcc -print-file-name=libasan.so)
    # Python's own allocator hides what is freed, and what Python keeps until it ends is no leak.  What was freed is kept
    # for a while to be watched, so memory grows, and tests of leaks see one.
    LD_PRELOAD=$runtime PYTHONMALLOC=malloc both address --ignore=tests/test_leaks.py
}

checked() {
    build checked SAFEPICKLE_CHECKED=1 CFLAGS="-O1 -g" || { failed+=("the build with checks"); return; }
    both checked
}

export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=0
for each in $builds; do
    printf '== %s\n' "$each"
    "$each"
    cd "$root" || exit 2
done
[ ${#failed[@]} = 0 ] || { printf '== failed: %s\n' "${failed[*]}"; exit 1; }
printf '== all passed\n'
