// Command agreement compares the scores of every method with exact patching on
// the builtin models, and prints the tables of docs/methods.md. It is run from
// the root of the repository:
//
//	go run ./docs/agreement [METHOD...]
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/compare"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// subject is a builtin model on a task, with a metric that has a gradient at the
// clean run.
type subject struct {
	task, model string
	metric      metric.Name
}

var subjects = []subject{
	{"induction", "induction", metric.NLL}, {"ioi", "mini", metric.LogitDiff},
	{"greaterthan", "mini", metric.ProbDiff}, {"docstring", "mini", metric.LogitDiff},
}

// steps are those of methods that learn, fewer than their defaults.
var steps = map[string]int{"sp": 1000, "sp-edges": 1000, "edge-pruning": 1000, "ugs": 100}

// threads are those of every run.
const threads = 2

func main() {
	ctx, methods := context.Background(), os.Args[1:]
	if len(methods) == 0 {
		methods = study.Scorers()
	}
	head, line := "| method |", "| --- |"
	cells := map[string][]string{}
	for _, s := range subjects {
		head, line = head+fmt.Sprintf(" %s, `%s` |", s.task, s.metric), line+" --- |"
		own, err := agreement(ctx, s, methods)
		if err != nil {
			log.Fatal(err)
		}
		for name, cell := range own {
			cells[name] = append(cells[name], cell)
		}
	}
	fmt.Printf("%s\n%s\n", head, line)
	for _, name := range methods {
		if name != "exact" {
			fmt.Printf("| `%s` | %s |\n", name, strings.Join(cells[name], " | "))
		}
	}
}

// agreement returns what each method's scores have in common with exact patching:
// the rank correlation of their sizes, the share of the best tenth of the edges
// that is in both, and the rank correlation on edges of MLPs alone.
func agreement(ctx context.Context, s subject, methods []string) (map[string]string, error) {
	in, err := study.Spec{Task: s.task, Model: s.model, Metric: s.metric}.Open(ctx, threads)
	if err != nil {
		return nil, err
	}
	defer in.Close() // read only: nothing can be lost
	e, err := patch.Bind(ctx, in.Config(circuit.ACDC, false))
	if err != nil {
		return nil, err
	}
	exact, err := scores(ctx, in, e, "exact")
	if err != nil {
		return nil, err
	}
	every := func(circuit.Edge) bool { return true }
	ofMLPs := func(e circuit.Edge) bool { return e.Sender.Kind == circuit.MLP || e.Receiver.Kind == circuit.MLPIn }
	out := map[string]string{}
	for _, name := range methods {
		if name == "exact" {
			continue
		}
		own, err := scores(ctx, in, e, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = fmt.Sprintf("%s, %.0f %%", number(compare.Spearman(pick(e, exact, every), pick(e, own, every))), 100*common(pick(e, exact, every), pick(e, own, every)))
		if !in.Model.Config.AttnOnly {
			out[name] += ", " + number(compare.Spearman(pick(e, exact, ofMLPs), pick(e, own, ofMLPs)))
		}
	}
	return out, nil
}

// scores are a method's.
func scores(ctx context.Context, in *study.Study, e *patch.Experiment, name string) (circuit.Scores, error) {
	algorithm, err := study.Method{Algorithm: name, Steps: steps[name]}.Resolve(in.Task, e.Graph())
	if err != nil {
		return nil, err
	}
	found, err := algorithm.(discover.Selected).Scorer.Score(ctx, discover.Request{Experiment: e})
	if err != nil {
		return nil, err
	}
	return found.Scores, nil
}

// pick are the sizes of the scores of some edges, direct edges not among them.
func pick(e *patch.Experiment, scores circuit.Scores, which func(circuit.Edge) bool) []float64 {
	var out []float64
	for i, x := range scores {
		if edge := e.Graph().Edge(i); !edge.IsDirect() && which(edge) {
			out = append(out, math.Abs(x))
		}
	}
	return out
}

// order lists the numbers of values, the largest first, of equal ones the first.
func order(values []float64) []int {
	out := make([]int, len(values))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(i, j int) int { return cmp.Compare(values[j], values[i]) })
	return out
}

// common is the share of the best tenth of one that is in that of the other.
func common(a, b []float64) float64 {
	n := (len(a) + 9) / 10
	best, both := order(a)[:n], 0
	for _, i := range order(b)[:n] {
		if slices.Contains(best, i) {
			both++
		}
	}
	return float64(both) / float64(n)
}

// number writes a correlation.
func number(x float64) string {
	if math.IsNaN(x) { // all scores are equal
		return "–"
	}
	return fmt.Sprintf("%.2f", x)
}
