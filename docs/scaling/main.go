// Command scaling measures how the cost of ACDC grows with layers, heads,
// prompts and the size of the circuit, and draws it: go run ./docs/scaling
// writes docs/scaling.csv and docs/scaling.svg. It takes some minutes.
package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// setting is one run: a model of random weights, and random prompts of 16
// tokens.
type setting struct {
	layers, heads, prompts int
	threshold              float64 // as a part of the metric's rise from the clean to the corrupted run
}

// base is what the others vary.
var base = setting{layers: 4, heads: 8, prompts: 32, threshold: 0.01}

// series vary one thing each.
var series = []struct {
	name string
	vary func(x float64) setting
	xs   []float64
}{
	{"layers", func(x float64) setting { s := base; s.layers = int(x); return s }, []float64{2, 4, 6, 8, 12}},
	{"heads", func(x float64) setting { s := base; s.heads = int(x); return s }, []float64{2, 4, 8, 12, 16}},
	{"prompts", func(x float64) setting { s := base; s.prompts = int(x); return s }, []float64{8, 16, 32, 64, 128}},
	{"threshold", func(x float64) setting { s := base; s.threshold = x; return s }, []float64{0.003, 0.01, 0.02, 0.05, 0.2}},
}

// repeats is how often each setting is run; the median counts.
const repeats = 5

// outcome is what a setting cost.
type outcome struct {
	edges, kept, tests int
	forwards           float64 // forward-pass equivalents
	seconds            float64 // of the loop
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("scaling: ", err)
	}
}

func run() error {
	rows := [][]string{{"series", "x", "edges", "kept", "tests", "forward_passes", "seconds"}}
	points := make([]plotter.XYs, len(series))
	for i, s := range series {
		for _, x := range s.xs {
			o, err := measure(s.vary(x))
			if err != nil {
				return err
			}
			rows = append(rows, []string{s.name, text(x), strconv.Itoa(o.edges), strconv.Itoa(o.kept), strconv.Itoa(o.tests), text(o.forwards), text(o.seconds)})
			fmt.Fprintln(os.Stderr, rows[len(rows)-1])
			if s.name == "threshold" {
				x = float64(o.kept) // drawn by the size of the circuit
			}
			points[i] = append(points[i], plotter.XY{X: x, Y: 1000 * o.seconds / float64(o.tests)})
		}
	}
	if err := write("docs/scaling.csv", func(f io.Writer) error { return csv.NewWriter(f).WriteAll(rows) }); err != nil {
		return err
	}
	return write("docs/scaling.svg", func(f io.Writer) error { return drawAll(f, points) })
}

func text(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

// measure runs a setting and returns the median of its times.
func measure(s setting) (outcome, error) {
	m, err := zoo.Open(context.Background(), fmt.Sprintf("random:%dx%dx%dx%dx1000", s.layers, s.heads, 32*s.heads, 128*s.heads))
	if err != nil {
		return outcome{}, err
	}
	e, err := patch.Bind(context.Background(), patch.Config{Model: m.Model, Data: task.Random(1, s.prompts, 16, m.Config.Vocab),
		Metric: metric.KL, Ablation: ablate.Resample, Threads: 2})
	if err != nil {
		return outcome{}, err
	}
	a := acdc.Algorithm{Threshold: s.threshold * (e.CorruptedMetric() - e.CleanMetric())}
	var o outcome
	var times []float64
	for range repeats {
		start := time.Now()
		res, err := a.Discover(context.Background(), discover.Request{Experiment: e})
		if err != nil {
			return outcome{}, err
		}
		times = append(times, time.Since(start).Seconds())
		o = outcome{edges: e.Graph().NumEdges(), kept: res.Mask.Count(), tests: res.Cost.Tests, forwards: res.Cost.ForwardPasses}
	}
	slices.Sort(times)
	o.seconds = times[len(times)/2]
	return o, nil
}

// drawAll draws the series side by side.
func drawAll(f io.Writer, points []plotter.XYs) error {
	canvas := vgsvg.New(28*vg.Centimeter, 7*vg.Centimeter)
	tiles := draw.Tiles{Rows: 1, Cols: len(points), PadX: vg.Centimeter / 2}
	var row []*plot.Plot
	for i, xys := range points {
		p := plot.New()
		p.X.Label.Text = series[i].name
		if series[i].name == "threshold" {
			p.X.Label.Text = "edges kept"
		}
		p.Y.Min, p.X.Min = 0, 0
		if i == 0 {
			p.Y.Label.Text = "milliseconds a test"
		}
		line, dots, err := plotter.NewLinePoints(xys)
		if err != nil {
			return err
		}
		p.Add(plotter.NewGrid(), line, dots)
		row = append(row, p)
	}
	for i, c := range plot.Align([][]*plot.Plot{row}, tiles, draw.New(canvas))[0] {
		row[i].Draw(c)
	}
	_, err := canvas.WriteTo(f)
	return err
}

func write(name string, to func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := to(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
