#!/bin/bash -eu
# One fuzz target for each harness, with what it starts from, and the dictionary that it uses.
export SAFEPICKLE_REQUIRE_EXT=1 # the core is what is to be fuzzed, compiled with the sanitizer of the image
pip3 install .
cd "$SRC/safepickle"

for harness in fuzz/fuzz_*.py; do
    name=$(basename "$harness" .py)
    # The harnesses find the generators in `tests`, and the seeds beside themselves, at run time.
    compile_python_fuzzer "$harness" --paths . --paths fuzz --hidden-import=_pickle --add-data "fuzz:fuzz"
    seeds=$(sed -n 's/^SEEDS: Final = "\(.*\)"$/\1/p' "$harness")
    zip -q -j "$OUT/${name}_seed_corpus.zip" "fuzz/seeds/$seeds"/* "fuzz/corpus/$name"/*
    dictionary=$(sed -n 's/.*dictionary="\(.*\)".*/\1/p' "$harness" | head -n 1)
    if [ -n "$dictionary" ]; then
        cp "fuzz/$dictionary" "$OUT/$name.dict"
    fi
done
