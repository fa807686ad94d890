package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// minMemory is the least that --memory may say; less is a slip of the finger.
const minMemory = 1 << 20

// parseBytes reads a number of bytes: 800M, 3G, 2GiB, 1e9.
func parseBytes(s string) (int64, error) {
	text, unit := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s), "IB"), "B"), 1.0
	for suffix, size := range map[string]float64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = rest, size
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n*unit >= minMemory && n*unit <= 1<<60) || unit == 1 && n != math.Trunc(n) {
		return 0, fmt.Errorf("expected a number of bytes such as 800M or 3G, at least 1M, found %q", s)
	}
	return int64(n * unit), nil
}

// plan prints what a run would take.
func (a *app) plan(ctx context.Context, o *discoverOptions, in *opened, c patch.Config) error {
	b, err := incremental.Take(c)
	if err != nil {
		return err
	}
	graph, err := c.Graph()
	if err != nil {
		return err
	}
	forward, err := calibrate(ctx, c)
	if err != nil {
		return err
	}
	printPlan(a.stdout, o, in, b, graph.NumEdges(), forward)
	return nil
}

// calibrate measures the seconds of a forward pass over all the data, on a few
// examples. They are bound twice: the first time lays out the weights.
func calibrate(ctx context.Context, c patch.Config) (float64, error) {
	c.Batch = 0
	whole := len(c.Data.Clean)
	c.Data = c.Data.Take(calibrationExamples(c))
	seconds := 0.0
	for range 2 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		start := time.Now()
		if _, err := patch.Bind(ctx, c); err != nil {
			return 0, err
		}
		seconds = time.Since(start).Seconds() / 2 // the clean and the corrupted run
	}
	return seconds * float64(whole) / float64(len(c.Data.Clean)), nil
}

// calibrationExamples is how many examples are run to measure the speed: about
// a second's work.
func calibrationExamples(c patch.Config) int {
	perExample := c.Model.Config.FLOP(1, len(c.Data.Clean[0]), 1)
	return max(1, min(len(c.Data.Clean), int(8e10/float64(2*perExample))))
}

// sparse is the part of a forward pass that a test costs while few edges are
// kept: 0.2 % was seen with 89 of 32,923 edges kept.
const sparse = 0.002

func printPlan(w io.Writer, o *discoverOptions, in *opened, b incremental.Budget, edges int, forward float64) {
	slices := fmt.Sprintf("all %d examples at a time", len(in.data.Clean))
	if o.batch > 0 {
		slices = fmt.Sprintf("%d of %d examples at a time", o.batch, len(in.data.Clean))
	}
	lines(w,
		[2]string{"model", in.model.Name + ": " + shapeOf(in.model.Config)},
		[2]string{"data", fmt.Sprintf("%d examples of %d tokens", len(in.data.Clean), len(in.data.Clean[0]))},
		[2]string{"edges", grouped(edges)},
		[2]string{"tests", "at most " + grouped(edges)},
		[2]string{"memory", fmt.Sprintf("at most %s and %s for the program, %s", incremental.Bytes(b.Total()), incremental.Bytes(ownBytes), slices)},
		[2]string{"", fmt.Sprintf("weights %s, packed %s, caches %s, work %s", incremental.Bytes(b.Weights), incremental.Bytes(b.Packed), incremental.Bytes(b.Caches), incremental.Bytes(b.Work))},
		[2]string{"time", fmt.Sprintf("%s a forward pass, %s to begin", duration(forward), duration(2*forward))},
		[2]string{"", fmt.Sprintf("%s for 1,000 tests while few edges are kept, at most %s in all", duration(1000*sparse*forward), duration(forward*float64(edges)))})
}

// duration writes seconds with two digits and a unit.
func duration(seconds float64) string {
	switch {
	case seconds < 1:
		return fmt.Sprintf("%.3g ms", max(seconds*1000, 0.01))
	case seconds < 120:
		return fmt.Sprintf("%.3g s", seconds)
	case seconds < 7200:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}
