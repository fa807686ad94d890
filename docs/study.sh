#!/bin/sh
# A study from start to end on a builtin model: which circuit continues a repeated
# sequence, how sure is that, and which method finds it. About ten seconds on two
# cores; docs/study.md says what comes out. Writes to the folder that it is run in.
set -e
task="--task induction --quiet"

# 1. A circuit, and its picture.
acdc discover $task --threshold 0.5 -o circuit.json -o circuit.svg

# 2. What it explains, misses and needs.
acdc evaluate circuit.json --samples 30 --quiet -o judged.svg > judged.txt

# 3. Which threshold? Thresholds and sizes by several methods, on prompts that none of
# them saw. Run again it makes only what is missing.
acdc sweep $task --metric nll --algorithm acdc,eap,eap-ig,random --thresholds log:0.01:10:12 --dir runs -o study-frontier.svg -o study-frontier.png -o rows.csv > /dev/null

# 4. How well does each method find the edges of the circuit of step 1?
acdc roc $task --metric nll --truth circuit.json --algorithm acdc,eap,eap-ig,random -o study-roc.svg > roc.txt

# 5. How far does the circuit depend on the examples?
acdc stability $task --algorithm eap-ig --metric nll --top 12 --samples 50 --format csv -o study-stable.svg > stable.csv

# 6. Do two methods find the same?
acdc discover $task --algorithm eap-ig --metric nll --top 9 -o eap-ig.json
acdc compare circuit.json eap-ig.json -o study-compared.svg > compared.txt
