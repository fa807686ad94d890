// Package kubernetes holds what acdc sweep plan --emit kubernetes prints to the
// real schema of Kubernetes, and to strict decoding into its own type: the schema
// lets unknown fields pass, the decoder missing ones. A module of its own, so that
// the program does not depend on these.
package kubernetes

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/client-go/openapi/openapitest"
	"sigs.k8s.io/yaml"
)

// emitted is what acdc, which make puts into PATH, prints for some runs.
func emitted(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("acdc", append([]string{"sweep", "plan", "--task", "or_gate", "--emit", "kubernetes"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: make test-kubernetes builds acdc and puts it into PATH: %s", err, stderr.String())
	}
	return string(out)
}

// schema is that of a Job.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	paths, err := openapitest.NewEmbeddedFileClient().Paths()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := paths["apis/batch/v1"].Schema("application/json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	if err := c.AddResource("mem://batch", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem://batch#/components/schemas/io.k8s.api.batch.v1.Job")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check reads a manifest in both ways.
func check(t *testing.T, s *jsonschema.Schema, text string) (job batchv1.Job, bySchema, strict error) {
	t.Helper()
	plain, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(plain, &v); err != nil {
		t.Fatal(err)
	}
	return job, s.Validate(v), yaml.UnmarshalStrict([]byte(text), &job)
}

func TestJobs(t *testing.T) {
	s := schema(t)
	text := emitted(t, "--thresholds", "log:0.001:1:12", "--per-task", "5", "--cpus", "2", "--image", "registry/acdc:1", "--dir", "it's here")
	job, bySchema, strict := check(t, s, text)
	if bySchema != nil || strict != nil {
		t.Fatal(bySchema, strict)
	}
	if err := yaml.UnmarshalStrict([]byte(text), &job); err != nil {
		t.Fatal(err)
	}
	if n := *job.Spec.Completions; n != 3 || *job.Spec.CompletionMode != batchv1.IndexedCompletion {
		t.Errorf("completions: expected 3 indexed, found %d %s", n, *job.Spec.CompletionMode)
	}
	want := "acdc sweep run --manifest runs.jsonl --dir it's here --per-task 5 --threads 2"
	if got := strings.Join(job.Spec.Template.Spec.Containers[0].Command, " "); got != want {
		t.Errorf("command: expected %s, found %s", want, got)
	}
	rules := job.Spec.PodFailurePolicy.Rules
	if rules[0].Action != batchv1.PodFailurePolicyActionIgnore || rules[1].Action != batchv1.PodFailurePolicyActionFailIndex || rules[1].OnExitCodes.Values[0] != 2 {
		t.Errorf("rules: found %v", rules)
	}
	if job.Spec.BackoffLimitPerIndex == nil || job.Spec.Template.Spec.RestartPolicy != "Never" {
		t.Error("expected a limit for each index, and pods that are not restarted")
	}
	// Each of the two sees what the other does not.
	if _, _, strict := check(t, s, text+"  unknown: 1\n"); strict == nil {
		t.Error("an unknown field passes")
	}
	if _, bySchema, _ := check(t, s, strings.Replace(text, "- name: acdc\n          image", "- image", 1)); bySchema == nil {
		t.Error("a container without a name passes")
	}
}
