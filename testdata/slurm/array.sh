#!/usr/bin/env bash
# A sweep on a real Slurm of one node: twelve runs as an array, by the script that
# acdc sweep plan prints. One of them is killed hard and requeued, one terminated.
# The rows that are collected in the end are those of acdc sweep alone, and no
# other run was made twice. Needs root and acdc in PATH, and Debian's slurm-wlm, which
# it installs where there is apt-get. No munge, no cgroup, no name service and no
# service manager is used; nothing that was started is left running.
set -euo pipefail

refuse() { echo "slurm: $1" >&2; exit 1; }
[ "$(id -u)" = 0 ] || refuse "expected root, which Slurm's daemons need to start tasks, found user $(id -un)"
command -v acdc > /dev/null || refuse 'expected acdc in PATH, found none: make test-slurm builds it'

# Of an installed service nothing is started: the daemons below are this test's own.
install() {
  command -v apt-get > /dev/null || refuse 'expected slurmctld, slurmd, sbatch, or apt-get to install slurm-wlm, found none'
  local policy=/usr/sbin/policy-rc.d own=
  if [ ! -e $policy ]; then own=yes; printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; fi
  local get='DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends slurm-wlm' said
  said=$(eval "$get" 2>&1) || said=$( (apt-get update -q && eval "$get") 2>&1) || said="FAILED $said"
  [ -z "$own" ] || rm -f $policy
  case $said in FAILED*) refuse "slurm-wlm could not be installed: $(echo "$said" | tail -n 3)" ;; esac
}
for tool in slurmctld slurmd sbatch scontrol; do
  command -v $tool > /dev/null || { install; break; }
done

# free finds a port that nobody listens to.
free() {
  local port=$1
  while (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do port=$((port + 2)); done
  echo $port
}
dir=$(mktemp -d)
mkdir "$dir/state" "$dir/spool" "$dir/work"
host=$(uname -n)
host=${host%%.*}
port=$(free $((20000 + $$ % 5000 * 2)))
cat > "$dir/slurm.conf" <<EOC
ClusterName=acdc
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort=$port
SlurmdPort=$(free $((port + 1)))
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
# ours are the processes of this test, of which all know its configuration.
ours() { grep -lzx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2> /dev/null | cut -d / -f 3 || true; }
stop() {
  trap - EXIT
  scancel --quiet -u root 2> /dev/null || true
  kill $daemon $controller 2> /dev/null || true
  for _ in $(seq 20); do # slurmd waits for its tasks, whatever has become of them
    kill -0 $daemon 2> /dev/null || kill -0 $controller 2> /dev/null || break
    sleep 0.1
  done
  for pid in $(ours); do kill -9 "$pid" 2> /dev/null || true; done
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

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

waits 900 '[ "$(sinfo -h -o %T 2>/dev/null)" = idle ]'
cd "$dir/work"
sweep=(--model random:3x8x64x256x300 --data random:24x12 --test-data random:4x12 --thresholds log:0.004:0.1:12)
acdc sweep plan "${sweep[@]}" -o runs.jsonl --emit slurm > sweep.sh

# Tasks 0 and 1 are stopped when they have saved some decisions, however fast the
# machine is, so that they are at work when they are killed: what they find as acdc
# becomes acdc, which another process watches.
mkdir "$dir/bin"
for i in 0 1; do sed -n "$((i + 1))s/^{\"id\":\"\([^\"]*\)\".*/\1/p" runs.jsonl; done > ids
cat > "$dir/bin/acdc" <<'EOC'
#!/usr/bin/env bash
i=$SLURM_ARRAY_TASK_ID
if [ "$i" -lt 2 ] && [ ! -e "stopped.$i" ]; then
  mapfile -t ids < ids
  (
    lines=()
    while [ ${#lines[@]} -le 5 ] && kill -0 $$; do
      mapfile -t lines < "runs/${ids[i]}.ckpt"
      sleep 0.01
    done
    kill -STOP $$ && echo $$ > "stopped.$i"
  ) > /dev/null 2>&1 &
fi
PATH=${PATH#*:} exec acdc "$@"
EOC
chmod +x "$dir/bin/acdc"
job=$(PATH=$dir/bin:$PATH sbatch --parsable sweep.sh)
waits 1200 '[ -s stopped.0 ] && [ -s stopped.1 ]'
kill -9 "$(cat stopped.0)"
scancel --batch --signal=TERM "${job}_1" || true # it says 229 here, and does it
kill -CONT "$(cat stopped.1)"
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
