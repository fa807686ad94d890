package judge

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

// File is all that was found out about a circuit, with everything that decides
// it: the circuit, what it was measured with, and the options.
type File struct {
	Graph        circuit.GraphInfo `json:"graph"`
	Run          circuit.Run       `json:"run"`
	Circuit      []string          `json:"circuit"` // its edges, by their short names
	EdgesTotal   int               `json:"edges_total"`
	Options      Options           `json:"options"`
	Judged       string            `json:"judged"` // the data of the verdict, one of those measured
	Verdict      `json:"verdict"`
	Measurements []Measurement `json:"measurements"`
}

// SetCircuit writes graph and circuit into the file. It panics without a graph.
func (f *File) SetCircuit(g *circuit.Graph, m circuit.Mask) {
	if g == nil {
		panic("judge: SetCircuit: no graph")
	}
	f.Graph, f.EdgesTotal, f.Circuit = g.Info(), g.NumEdges(), []string{}
	for i, present := range m {
		if present {
			f.Circuit = append(f.Circuit, g.Edge(i).String())
		}
	}
}

// Mask is the circuit and its graph.
func (f *File) Mask() (*circuit.Graph, circuit.Mask, error) {
	g, err := circuit.New(circuit.Config(f.Graph))
	if err != nil {
		return nil, nil, fmt.Errorf("field \"graph\": %w", err)
	}
	if g.NumEdges() != f.EdgesTotal {
		return nil, nil, fmt.Errorf("field \"edges_total\": expected %d, those of the graph, found %d", g.NumEdges(), f.EdgesTotal)
	}
	m := g.Empty()
	for k, name := range f.Circuit {
		e, err := g.ParseEdge(name)
		if err == nil && m[e] {
			err = fmt.Errorf("edge %s: expected it once, found it twice", oneline.Quote(name))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("field \"circuit\"[%d]: %w", k, err)
		}
		m[e] = true
	}
	return g, m, nil
}

// Check refuses what no judgement can be.
func (f *File) Check() error {
	if _, _, err := f.Mask(); err != nil {
		return err
	}
	if err := f.Options.Check(); err != nil {
		return fmt.Errorf("field \"options\": %w", err)
	}
	found := false
	for i, m := range f.Measurements {
		if err := m.check(); err != nil {
			return fmt.Errorf("field \"measurements\"[%d]: %w", i, err)
		}
		found = found || m.Data == f.Judged
	}
	if !found {
		return fmt.Errorf("field \"judged\": expected data of a measurement, found %s", oneline.Quote(f.Judged))
	}
	if err := f.Verdict.check(); err != nil {
		return fmt.Errorf("field \"verdict\": %w", err)
	}
	return nil
}

// check refuses runs that are missing, in another order, or of other examples.
func (m *Measurement) check() error {
	if _, err := metric.ParseName(string(m.Metric)); err != nil {
		return fmt.Errorf("field \"metric\": %w", err)
	}
	if len(m.Runs) != len(RunNames()) {
		return fmt.Errorf("field \"runs\": expected %d, found %d", len(RunNames()), len(m.Runs))
	}
	for i, r := range m.Runs {
		switch {
		case r.Run != RunNames()[i]:
			return fmt.Errorf("field \"runs\"[%d]: field \"run\": expected %s, found %s", i, RunNames()[i], oneline.Quote(string(r.Run)))
		case len(r.Examples) != len(m.Runs[0].Examples):
			return fmt.Errorf("field \"runs\"[%d]: field \"examples\": expected %d, as of the first run, found %d", i, len(m.Runs[0].Examples), len(r.Examples))
		case !slices.IsSorted(r.Quantiles[:]):
			return fmt.Errorf("field \"runs\"[%d]: field \"quantiles\": expected them ascending, found %v", i, r.Quantiles)
		}
	}
	return nil
}

// check refuses what no verdict can be.
func (v *Verdict) check() error {
	for i, k := range v.Completeness.KnockOuts {
		if _, err := choice.Parse("kind", string(k.Kind), []Kind{None, Single, Group, Chance, Greedy}); err != nil {
			return fmt.Errorf("field \"knock_outs\"[%d]: %w", i, err)
		}
		if gap := math.Abs(k.Model - k.Circuit); k.Gap != gap {
			return fmt.Errorf("field \"knock_outs\"[%d]: field \"gap\": expected %v, the difference, found %v", i, gap, k.Gap)
		}
	}
	most := 0.0
	for _, k := range v.Completeness.KnockOuts {
		most = max(most, k.Gap)
	}
	if v.Completeness.Most != most {
		return fmt.Errorf("field \"completeness\": field \"most\": expected %v, the widest gap, found %v", most, v.Completeness.Most)
	}
	for i, t := range v.Tests {
		if _, err := choice.Parse("test", string(t.Name), []TestName{Equivalence, Independence, Minimality, Sufficiency, Necessity}); err != nil {
			return fmt.Errorf("field \"tests\"[%d]: %w", i, err)
		}
		if _, err := choice.Parse("outcome", string(t.Outcome), []Outcome{For, Against, Open}); err != nil {
			return fmt.Errorf("field \"tests\"[%d]: %w", i, err)
		}
		if t.P != nil && !(*t.P >= 0 && *t.P <= 1) {
			return fmt.Errorf("field \"tests\"[%d]: field \"p\": expected a number from 0 to 1, found %v", i, *t.P)
		}
	}
	return nil
}

// Encode writes the file as indented JSON. What a terminal would obey is escaped.
func (f *File) Encode(w io.Writer) error {
	if w == nil {
		panic("judge: Encode: no writer")
	}
	return jsonfile.WriteChecked(w, "judgement", f)
}

// Decode reads the JSON that File.Encode writes; name is what errors call it.
func Decode(ctx context.Context, name string, data []byte) (*File, error) {
	return jsonfile.DecodeChecked[File](ctx, name, data)
}
