#!/usr/bin/env bash
# A sweep on a real Slurm of one node: twelve runs as an array, by the script that
# acdc sweep plan prints. One of them is killed hard and requeued, one terminated.
# The rows that are collected in the end are those of acdc sweep alone, and no
# other run was made twice. Needs Debian's slurm-wlm, root, and acdc in PATH.
set -euo pipefail

dir=$(mktemp -d)
mkdir "$dir/state" "$dir/spool" "$dir/work"
host=$(hostname -s)
cat > "$dir/slurm.conf" <<EOC
ClusterName=acdc
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort=26827
SlurmdPort=26828
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
KillWait=1
MinJobAge=3600
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOC
export SLURM_CONF=$dir/slurm.conf
slurmctld -D > "$dir/slurmctld.log" 2>&1 & controller=$!
slurmd -D -N "$host" > "$dir/slurmd.log" 2>&1 & daemon=$!
stop() {
  scancel -u root 2>/dev/null || true
  kill $daemon $controller 2>/dev/null || true
  wait $daemon $controller 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT

# waits TENTHS CONDITION
waits() {
  for _ in $(seq "$1"); do
    if eval "$2"; then return; fi
    sleep 0.1
  done
  echo "timed out: $2" >&2
  cat "$dir"/*.log "$dir"/work/*.log >&2 || true
  exit 1
}
expect() { [ "$2" = "$3" ] || { echo "$1: expected $2, found $3" >&2; exit 1; }; }

waits 300 '[ "$(sinfo -h -o %T 2>/dev/null)" = idle ]'
cd "$dir/work"
sweep=(--model random:3x8x64x256x300 --data random:24x12 --test-data random:4x12 --thresholds log:0.004:0.1:12)
acdc sweep plan "${sweep[@]}" -o runs.jsonl --emit slurm > sweep.sh
job=$(sbatch --parsable sweep.sh)

# killed and terminated name a task that has saved decisions.
working() { [ "$(squeue -h -r -t R -j "${job}_$1" -o %K 2>/dev/null)" = "$1" ] && [ "$(cat "runs/$(sed -n "$(($1 + 1))s/^{\"id\":\"\([^\"]*\)\".*/\1/p" runs.jsonl).ckpt" 2>/dev/null | wc -l)" -gt 5 ]; }
pid() { scontrol listpids "$(squeue -h -r -t R -j "${job}_$1" -o %A)" | awk '$3 == "batch" || $3 == "4294967291" { print $1; exit }'; }
waits 600 'working 0'
kill -9 "$(pid 0)"
waits 600 'working 1'
scancel --batch --signal=TERM "${job}_1" || true # it says 229 here, and does it
waits 600 '[ "$(squeue -h -r -t all -j "$job" -o "%K %T" | grep -cE "^[01] FAILED")" = 2 ]'
for i in 0 1; do
  scontrol requeue "${job}_$i"
  scontrol update JobId="${job}_$i" StartTime=now
done
waits 3000 '[ -z "$(squeue -h -r -t PD,R,CG,CF -j "$job")" ]'

expect 'missing indices' '' "$(acdc sweep collect --missing)"
acdc sweep collect > collected.csv
acdc sweep "${sweep[@]}" --quiet > alone.csv
cmp alone.csv collected.csv
expect rows 13 "$(wc -l < alone.csv)"
expect 'runs that were made' 12 "$(cat acdc-sweep-*.log | grep -c ', 1 made now$')"
expect 'files that are left' 12 "$(ls runs | wc -l)"
expect 'starts of the killed' 2 "$(grep -c ' of 1: ' "acdc-sweep-${job}_0.log")"
grep -q '^acdc: interrupted$' "acdc-sweep-${job}_1.log"
echo "slurm: 12 runs, one killed, one terminated, both requeued and continued, $SECONDS s"
