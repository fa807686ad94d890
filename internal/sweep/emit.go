package sweep

import (
	"fmt"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/seed-2c350065/acdc/internal/choice"
)

// Engine makes the runs of a manifest on many machines.
type Engine string

// The engines.
const (
	Slurm      Engine = "slurm"
	Kubernetes Engine = "kubernetes"
)

// Engines lists the engines.
func Engines() []Engine { return []Engine{Slurm, Kubernetes} }

// MostShares is up to how many tasks an array has unless somebody says how many
// runs a task makes: Slurm's MaxArraySize is 1001 unless it was raised, and an
// engine starts no more than some ten a minute with ease.
const MostShares = 1000

// Job is what an engine is told.
type Job struct {
	Manifest, Dir string
	Runs          int
	PerTask       int // 0 for as few as MostShares allows
	CPUs          int
	Image, Claim  string // of Kubernetes: the container, and the volume that its working folder is
}

// mostPods is how many pods run at once; who has more machines raises it.
const mostPods = 20

// Script is a Slurm script or a Kubernetes manifest.
func (j Job) Script(e Engine) (string, error) {
	if _, err := choice.Parse("engine", string(e), Engines()); err != nil {
		return "", err
	}
	if j.PerTask == 0 {
		j.PerTask = Shares(j.Runs, MostShares)
	}
	text := slurmScript
	if e == Kubernetes {
		if text = kubernetesJob; filepath.IsAbs(j.Manifest) || filepath.IsAbs(j.Dir) {
			return "", fmt.Errorf("--emit %s: expected manifest and folder in the volume, by a path from its top, found %s and %s", e, j.Manifest, j.Dir)
		}
	}
	shares := Shares(j.Runs, j.PerTask)
	var b strings.Builder
	err := template.Must(template.New(string(e)).Funcs(template.FuncMap{"sh": shellQuoted, "yaml": yamlQuoted}).Parse(text)).Execute(&b, map[string]any{
		"Job": j, "Shares": shares, "Last": shares - 1, "Pods": min(shares, mostPods)})
	return b.String(), err
}

// shellQuoted is one word of a shell.
func shellQuoted(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@+="
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// yamlQuoted is a string of YAML.
func yamlQuoted(s any) string {
	return fmt.Sprintf("'%s'", strings.ReplaceAll(fmt.Sprint(s), "'", "''"))
}

// slurmScript is for sbatch. The signal goes to the script itself, whose place
// exec gives to the program.
const slurmScript = `#!/bin/bash
# {{.Job.Runs}} runs, {{.Job.PerTask}} a task. What is missing afterwards is run again, and collected, by
#   sbatch --array="$(acdc sweep collect --manifest {{sh .Job.Manifest}} --dir {{sh .Job.Dir}} --per-task {{.Job.PerTask}} --missing)" THIS_SCRIPT
#   acdc sweep collect --manifest {{sh .Job.Manifest}} --dir {{sh .Job.Dir}} -o rows.csv
#SBATCH --job-name=acdc-sweep
#SBATCH --array=0-{{.Last}}
#SBATCH --cpus-per-task={{.Job.CPUs}}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@120
#SBATCH --output=acdc-sweep-%A_%a.log
exec acdc sweep run --manifest {{sh .Job.Manifest}} --dir {{sh .Job.Dir}} --per-task {{.Job.PerTask}}
`

// kubernetesJob is for kubectl create. A pod that is moved away does not count as
// failed, and one that ends with exit code 2 is not tried again.
const kubernetesJob = `# {{.Job.Runs}} runs, {{.Job.PerTask}} a pod
apiVersion: batch/v1
kind: Job
metadata:
  generateName: acdc-sweep-
spec:
  completionMode: Indexed
  completions: {{.Shares}}
  parallelism: {{.Pods}}
  backoffLimitPerIndex: 5
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
            status: 'True'
      - action: FailIndex
        onExitCodes:
          containerName: acdc
          operator: In
          values: [2]
        onPodConditions: [] # the schema wants it
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 120
      containers:
        - name: acdc
          image: {{yaml .Job.Image}}
          workingDir: /sweep
          command: [acdc, sweep, run, --manifest, {{yaml .Job.Manifest}}, --dir, {{yaml .Job.Dir}}, --per-task, {{yaml .Job.PerTask}}, --threads, {{yaml .Job.CPUs}}]
          resources:
            requests:
              cpu: {{yaml .Job.CPUs}}
          volumeMounts:
            - name: sweep
              mountPath: /sweep
      volumes:
        - name: sweep
          persistentVolumeClaim:
            claimName: {{yaml .Job.Claim}}
`
