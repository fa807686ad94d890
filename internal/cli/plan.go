package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/discover"
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
	n, err := parseNumber(text)
	if err != nil || !(n*unit >= minMemory && n*unit <= 1<<60) || unit == 1 && n != math.Trunc(n) {
		return 0, fmt.Errorf("expected a number of bytes such as 800M or 3G, at least 1M, found %q", s)
	}
	return int64(n * unit), nil
}

// plan prints what a run would take.
func (a *app) plan(ctx context.Context, in *study.Study, c patch.Config, method discover.Algorithm) error {
	p, err := study.MakePlan(ctx, c, method)
	if err != nil {
		return err
	}
	printPlan(a.stdout, c, in, p)
	return nil
}

func printPlan(w io.Writer, c patch.Config, in *study.Study, p study.Plan) {
	batches := fmt.Sprintf("all %d examples at a time", len(in.Data.Clean))
	if c.Batch > 0 {
		batches = fmt.Sprintf("%d of %d examples at a time", c.Batch, len(in.Data.Clean))
	}
	b, seconds := p.Budget, func(d time.Duration) string { return duration(d.Seconds()) }
	expected := fmt.Sprintf("about %s (%s to %s), at most %s", seconds(p.Likely), seconds(p.Low), seconds(p.High), seconds(p.Most))
	tried := fmt.Sprintf("a trial of %s decided %s of them", seconds(p.Trial.Took), grouped(p.Trial.Decided))
	if p.Trial.Done {
		expected, tried = fmt.Sprintf("about %s, at most %s", seconds(p.Likely), seconds(p.Most)), "a trial came to the end"
	}
	lines(w,
		[2]string{"model", in.Model.Name + ": " + shapeOf(in.Model.Config)},
		[2]string{"data", fmt.Sprintf("%d examples of %d tokens", len(in.Data.Clean), len(in.Data.Clean[0]))},
		[2]string{"edges", grouped(p.Edges) + ", " + tried},
		[2]string{"memory", fmt.Sprintf("at most %s, %s", incremental.Bytes(b.Total()+ownBytes), batches)},
		[2]string{"", fmt.Sprintf("of which weights %s, packed %s, caches %s, work %s, the program %s", incremental.Bytes(b.Weights), incremental.Bytes(b.Packed), incremental.Bytes(b.Caches), incremental.Bytes(b.Work), incremental.Bytes(ownBytes))},
		[2]string{"time", expected},
		[2]string{"", seconds(p.Begin) + " of it to make the clean and the corrupted run"})
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
