package cli

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

var epoch = time.Unix(1e9, 0)

// A line says all, in the course of a run.
func TestProgressLine(t *testing.T) {
	now := epoch
	p := newProgress(&bytes.Buffer{}, 1000, func() time.Time { return now })
	assert.Equal(t, "acdc: 0 of 1,000 edges decided, 0 kept, 0 forward passes, 0.01 ms so far", p.line())
	for decided := 1; decided <= 500; decided++ {
		now = now.Add(time.Second)
		p.update(discover.Event{Test: discover.Test{Kept: decided%100 == 0}, Tests: decided, Decided: decided, Total: 1000,
			Cost: circuit.Cost{FLOP: int64(decided) * 1e9, ForwardPasses: float64(decided) / 4}})
	}
	assert.Equal(t, "acdc: 500 of 1,000 edges decided, 5 kept, 125 forward passes, 8 min so far, about 8 min left", p.line())
}

// signalled tells when it was written to.
type signalled struct {
	bytes.Buffer
	wrote chan struct{}
}

func (s *signalled) Write(b []byte) (int, error) {
	defer func() { s.wrote <- struct{}{} }()
	return s.Buffer.Write(b)
}

// Each tick and each signal prints one line, until the run ends.
func TestProgressListens(t *testing.T) {
	w := &signalled{wrote: make(chan struct{})}
	p := newProgress(w, 10, func() time.Time { return epoch })
	ticks, signals := make(chan time.Time), make(chan os.Signal)
	p.stopped.Go(func() { p.listen(ticks, signals) })
	ticks <- epoch
	<-w.wrote
	signals <- os.Interrupt
	<-w.wrote
	p.clear()
	assert.Equal(t, 2, strings.Count(w.String(), "acdc: 0 of 10 edges decided"))
	assert.Regexp(t, regexp.MustCompile(`\A(acdc: .*\n){2}\z`), w.String())
}
