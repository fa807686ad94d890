package roc

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// Decode reads the JSON that File.Encode writes; name is what errors call it.
// What follows from the counts may be missing, but must agree with them.
func Decode(ctx context.Context, name string, data []byte) (*File, error) {
	var in jsonFile
	if err := jsonfile.Decode(ctx, name, data, &in); err != nil {
		return nil, err
	}
	f, err := in.file()
	if err == nil {
		err = f.Check()
	}
	if err == nil {
		err = in.agrees(f)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// file is what was read; a number that is missing is an error.
func (in *jsonFile) file() (*File, error) {
	if in.Curves == nil {
		return nil, fmt.Errorf("field \"curves\": expected a list, found null or none")
	}
	f := &File{Task: in.Task, Model: in.Model, Truth: in.Truth, Counting: in.Counting}
	for i, c := range in.Curves {
		out := Curve{Name: c.Name, Least: c.Least, InterpBench: c.InterpBench}
		for k, p := range c.Points {
			point, err := p.point()
			if err != nil {
				return nil, fmt.Errorf("field \"curves\"[%d].\"points\"[%d]: %w", i, k, err)
			}
			out.Points = append(out.Points, point)
		}
		f.Curves = append(f.Curves, out)
	}
	return f, nil
}

func (in *jsonPoint) point() (p Point, err error) {
	if in.Threshold == nil {
		return p, fmt.Errorf("field \"threshold\": expected a number, found null or none")
	}
	p.Threshold = *in.Threshold
	if p.Edges, err = in.Edges.count(); err != nil {
		return p, fmt.Errorf("field \"edges\": %w", err)
	}
	if p.Nodes, err = in.Nodes.count(); err != nil {
		return p, fmt.Errorf("field \"nodes\": %w", err)
	}
	return p, nil
}

func (in *jsonCount) count() (c Count, err error) {
	if in == nil {
		return c, fmt.Errorf("expected an object, found null or none")
	}
	for _, n := range []struct {
		field string
		from  *int
		to    *int
	}{
		{"true_positive", in.TruePositive, &c.TruePositive}, {"false_positive", in.FalsePositive, &c.FalsePositive},
		{"true_negative", in.TrueNegative, &c.TrueNegative}, {"false_negative", in.FalseNegative, &c.FalseNegative},
	} {
		if n.from == nil {
			return c, fmt.Errorf("field %q: expected a whole number, found null or none", n.field)
		}
		*n.to = *n.from
	}
	return c, nil
}

// derived is a number that follows from others, as it was read.
type derived struct {
	field       string
	found       *float64
	want        float64
	whatDecides string
}

// agree refuses numbers that are there and are others.
func agree(all ...derived) error {
	const rounding = 1e-9
	for _, d := range all {
		if d.found != nil && !(math.Abs(*d.found-d.want) <= rounding) {
			return fmt.Errorf("field %q: expected %v, as the %s say, found %v", d.field, d.want, d.whatDecides, *d.found)
		}
	}
	return nil
}

// agrees refuses rates and areas that do not follow from the counts.
func (in *jsonFile) agrees(f *File) error {
	for i, c := range in.Curves {
		for k, p := range c.Points {
			for _, part := range Parts() {
				if err := p.of(part).agrees(f.Curves[i].Points[k].Of(part)); err != nil {
					return fmt.Errorf("field \"curves\"[%d].\"points\"[%d].%q: %w", i, k, part, err)
				}
			}
		}
		for _, part := range Parts() {
			if err := c.of(part).agrees(f.Curves[i], part); err != nil {
				return fmt.Errorf("field \"curves\"[%d].%q: %w", i, part, err)
			}
		}
	}
	return nil
}

// of is what was read of one kind of parts.
func (in *jsonPoint) of(part Part) *jsonCount {
	if part == Nodes {
		return in.Nodes
	}
	return in.Edges
}

// of is what was read of one kind of parts.
func (in *jsonCurve) of(part Part) *jsonAreas {
	if part == Nodes {
		return in.Nodes
	}
	return in.Edges
}

func (in *jsonAreas) agrees(c Curve, part Part) error {
	if in == nil {
		return nil
	}
	return agree(derived{"pessimistic", &in.Pessimistic, c.Pessimistic(part), "points"}, derived{"trapezoid", &in.Trapezoid, c.Trapezoid(part), "points"})
}

func (in *jsonCount) agrees(c Count) error {
	return agree(derived{"tpr", in.TPR, c.TPR(), "counts"}, derived{"fpr", in.FPR, c.FPR(), "counts"}, derived{"precision", in.Precision, c.Precision(), "counts"})
}
