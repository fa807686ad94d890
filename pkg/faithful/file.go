package faithful

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// File is the curves of circuits, with everything that decides them.
type File struct {
	Circuits []Circuit `json:"circuits"`
}

// Circuit is the curves of one circuit's scores.
type Circuit struct {
	Name   string            `json:"circuit"` // of its file
	Graph  circuit.GraphInfo `json:"graph"`
	Found  circuit.Run       `json:"found"`         // what the scores were found with,
	Run    circuit.Run       `json:"run"`           // and what circuits were measured with
	Scored int               `json:"edges_scored"`  // of those that can be chosen
	Digest string            `json:"scores_sha256"` // of the scores, in hexadecimal (Digest)
	Curves []Areas           `json:"curves"`        // by one selection each
}

// Areas is a curve with the numbers that stand for it.
type Areas struct {
	Curve
	By   string  `json:"selection"` // Curve.Selection
	CPR  float64 `json:"cpr"`       // Curve.CPR
	CMD  float64 `json:"cmd"`       // Curve.CMD
	Mean float64 `json:"mean"`      // Curve.Mean
}

// WithAreas adds to a curve the numbers that stand for it.
func (c Curve) WithAreas() Areas { return Areas{c, c.Selection(), c.CPR(), c.CMD(), c.Mean()} }

// Digest is the SHA-256 of scores, in hexadecimal: of their bits, in the order of
// the edges, all that are no numbers being one.
func Digest(scores circuit.Scores) string {
	bits := make([]byte, 0, 8*len(scores))
	for _, x := range scores {
		if math.IsNaN(x) {
			x = math.NaN()
		}
		bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(x))
	}
	sum := sha256.Sum256(bits)
	return hex.EncodeToString(sum[:])
}

// Check refuses what no curves can be.
func (f *File) Check() error {
	if len(f.Circuits) == 0 {
		return fmt.Errorf("field \"circuits\": expected at least one, found none")
	}
	for i, c := range f.Circuits {
		if err := c.check(); err != nil {
			return fmt.Errorf("field \"circuits\"[%d]: %w", i, err)
		}
	}
	return nil
}

func (c *Circuit) check() error {
	g, err := circuit.New(circuit.Config(c.Graph))
	if err != nil {
		return fmt.Errorf("field \"graph\": %w", err)
	}
	if n := g.Choosable(); c.Scored < 1 || c.Scored > n {
		return fmt.Errorf("field \"edges_scored\": expected a whole number from 1 to %d, found %d", n, c.Scored)
	}
	if len(c.Curves) == 0 {
		return fmt.Errorf("field \"curves\": expected at least one, found none")
	}
	for i, a := range c.Curves {
		if err := a.check(g.Choosable()); err != nil {
			return fmt.Errorf("field \"curves\"[%d]: %w", i, err)
		}
	}
	return nil
}

// check refuses points that are not of the curve, and areas that are not below it.
func (a Areas) check(edges int) error {
	if _, err := choice.Parse("rule", string(a.Rule), circuit.Rules()); err != nil {
		return fmt.Errorf("field \"rule\": %w", err)
	}
	if a.Edges != edges {
		return fmt.Errorf("field \"edges\": expected %d, those of the graph that can be chosen, found %d", edges, a.Edges)
	}
	if a.By != a.Selection() {
		return fmt.Errorf("field \"selection\": expected %s, found %s", a.Selection(), oneline.Quote(a.By))
	}
	if len(a.Points) == 0 {
		return fmt.Errorf("field \"points\": expected at least one, found none")
	}
	least := math.Inf(-1)
	for i, p := range a.Points {
		if !(p.Part >= 0 && p.Part <= 1) || p.Part <= least {
			return fmt.Errorf("field \"points\"[%d]: field \"part\": expected growing numbers from 0 to 1, found %v", i, p.Part)
		}
		least = p.Part
		if p.Chosen < 0 || p.Chosen > edges || p.Kept < 0 || p.Kept > p.Chosen {
			return fmt.Errorf("field \"points\"[%d]: expected at most %d edges chosen and at most as many kept, found %d and %d", i, edges, p.Chosen, p.Kept)
		}
		if err := same("faithfulness", Normalised(p.Metric, a.Empty, a.Model), p.Faithfulness); err != nil {
			return fmt.Errorf("field \"points\"[%d]: %w", i, err)
		}
	}
	want := a.WithAreas()
	for _, x := range []struct {
		field       string
		want, found float64
	}{{"cpr", want.CPR, a.CPR}, {"cmd", want.CMD, a.CMD}, {"mean", want.Mean, a.Mean}} {
		if err := same(x.field, x.want, x.found); err != nil {
			return err
		}
	}
	return nil
}

// same refuses a number that is not the one that others say, to within what
// another machine rounds in another way.
func same(field string, want, found float64) error {
	const rounding = 1e-9
	if !(math.Abs(found-want) <= rounding*max(1, math.Abs(want))) {
		return fmt.Errorf("field %q: expected %v, as the other fields have it, found %v", field, want, found)
	}
	return nil
}

// Encode writes the file as indented JSON. What a terminal would obey is escaped.
func (f *File) Encode(w io.Writer) error {
	if w == nil {
		panic("faithful: Encode: no writer")
	}
	return jsonfile.WriteChecked(w, "curves", f)
}

// Decode reads the JSON that File.Encode writes; name is what errors call it.
func Decode(ctx context.Context, name string, data []byte) (*File, error) {
	return jsonfile.DecodeChecked[File](ctx, name, data)
}
