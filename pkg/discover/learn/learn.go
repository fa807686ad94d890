// Package learn learns masks by gradient descent: the loop that subnetwork
// probing, edge pruning and uniform gradient sampling share. A method says how
// its parameters become gates and what they cost; the loop measures the gated
// run, takes a step with AdamW, and can be stopped and continued at any step,
// with the same bytes in the end.
package learn

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Masks are a method's parameters.
type Masks interface {
	// Start returns the parameters to begin with.
	Start() []float64
	// Draw makes gates of parameters at a step.
	Draw(step int, params []float64, rng *rand.Rand) Draw
}

// Draw is one sample of gates.
type Draw struct {
	Gates    circuit.Gates
	Penalty  float64 // what is minimised besides the metric
	Sparsity float64 // the share of edges that are absent
	// Back adds to grads the gradient of metric and penalty with respect to the
	// parameters, from that of the metric with respect to the gates. Where a
	// parameter is to rise with its gradient, it is added with the other sign.
	Back func(gates, grads []float64)
}

// Options say how to descend.
type Options struct {
	Steps   int
	Rate    func(step int) float64 // the learning rate
	Samples int                    // gates drawn a step, whose gradients' mean is followed
	Betas   [2]float64
	Decay   float64 // of weights, decoupled
	Clip    float64 // of the gradient's L2 norm, 0 for none

	ZeroSides bool // see patch.Gated
}

// saveEvery is how many steps a record is apart from the next.
const saveEvery = 50

// record is the state after some steps, as a checkpoint keeps it, and what was
// seen in the steps since the record before.
type record struct {
	Step  int    `json:"step"`
	State []byte `json:"state"` // parameters and both moments, float64 little-endian
	FLOP  int64  `json:"flop"`
	Seen  []seen `json:"seen"`
}

// seen is what an observer is told of a step.
type seen struct {
	Loss     float64 `json:"loss"`
	Metric   float64 `json:"metric"`
	Sparsity float64 `json:"sparsity"`
	FLOP     int64   `json:"flop"`
}

// descent is one run.
type descent struct {
	o     Options
	r     discover.Request
	masks Masks
	adam  *adam
	whole *patch.Gated // where all examples are held together
	flop  int64
	seen  []seen // since the last record
}

// Descend learns, and returns the parameters and what it cost. Where ctx ends
// it, what was done is saved first.
func Descend(ctx context.Context, m Masks, r discover.Request, o Options) ([]float64, circuit.Cost, error) {
	x := &descent{o: o, r: r, masks: m, adam: newAdam(m.Start(), o)}
	if !r.Experiment.InBatches() {
		x.whole = patch.NewGated(r.Experiment.Whole())
		x.whole.ZeroSides = o.ZeroSides
	}
	first, err := x.resume()
	if err != nil {
		return nil, circuit.Cost{}, err
	}
	for step := first; step < o.Steps; step++ {
		if err := x.step(ctx, step); err != nil {
			if ctx.Err() != nil && len(x.seen) > 0 {
				err = errors.Join(err, x.save(step))
			}
			return nil, circuit.Cost{}, err
		}
		if done := step + 1; done%saveEvery == 0 || done == o.Steps {
			if err := x.save(done); err != nil {
				return nil, circuit.Cost{}, err
			}
		}
	}
	cost := circuit.Cost{FLOP: x.flop, ForwardPasses: float64(x.flop) / float64(r.Experiment.ForwardFLOP())}
	return x.adam.params, cost, nil
}

// step draws gates, measures them and descends.
func (x *descent) step(ctx context.Context, step int) error {
	grads := make([]float64, len(x.adam.params))
	var loss, metric, sparsity float64
	for sample := range max(1, x.o.Samples) {
		rng := rand.New(rand.NewPCG(x.r.Seed, uint64(step)<<16|uint64(sample)))
		d := x.masks.Draw(step, x.adam.params, rng)
		value, back, err := x.measure(ctx, d.Gates)
		if err != nil {
			return err
		}
		d.Back(back, grads)
		n := float64(max(1, x.o.Samples))
		loss, metric, sparsity = loss+(value+d.Penalty)/n, metric+value/n, sparsity+d.Sparsity/n
	}
	for i := range grads {
		grads[i] /= float64(max(1, x.o.Samples))
		if math.IsNaN(grads[i]) || math.IsInf(grads[i], 0) {
			return fmt.Errorf("step %d: the gradient is not finite, expected a smaller learning rate or penalty", step+1)
		}
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("step %d: the loss is %v, expected a finite number", step+1, loss)
	}
	x.adam.step(grads, x.o.Rate(step))
	now := seen{loss, metric, sparsity, x.flop}
	x.seen = append(x.seen, now)
	x.observe(step+1, now)
	return nil
}

// observe tells the observer of a step, be it of this run or of an earlier one.
func (x *descent) observe(step int, s seen) {
	if x.r.Observe == nil {
		return
	}
	total := x.r.Experiment.Graph().NumEdges()
	x.r.Observe(discover.Event{Decided: total * step / x.o.Steps, Total: total, Cost: circuit.Cost{FLOP: s.FLOP},
		Learned: &discover.Learned{Step: step, Steps: x.o.Steps, Loss: s.Loss, Metric: s.Metric, Sparsity: s.Sparsity, Rate: x.o.Rate(step - 1)}})
}

// measure is the metric under gates and its gradient with respect to them.
func (x *descent) measure(ctx context.Context, gates circuit.Gates) (float64, []float64, error) {
	e := x.r.Experiment
	total, sum := make([]float64, len(gates)), 0.0
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return 0, nil, err
		}
		g := x.whole
		if g == nil {
			g = patch.NewGated(b)
			g.ZeroSides = x.o.ZeroSides
		}
		rows, err := g.Run(ctx, gates)
		if err != nil {
			return 0, nil, err
		}
		back, err := g.Backward(ctx)
		if err != nil {
			return 0, nil, err
		}
		for _, v := range rows {
			sum += v
		}
		for i, v := range back {
			total[i] += v
		}
		run, down := g.FLOP()
		if x.flop += run + down; x.whole == nil {
			x.flop += 2 * b.ForwardFLOP()
		}
	}
	return sum / float64(len(e.Metric().Rows())), total, nil
}

// save keeps the state after some steps.
func (x *descent) save(done int) error {
	if x.r.Progress.Save == nil {
		return nil
	}
	line, err := json.Marshal(record{done, x.adam.bytes(), x.flop, x.seen})
	if err != nil {
		return fmt.Errorf("progress: %w", err)
	}
	x.seen = x.seen[:0]
	return x.r.Progress.Save(line)
}

var errRecord = errors.New("expected the steps of this run, their parameters and flop, found something else")

// resume takes over the records of an earlier run and returns the first step
// that is left.
func (x *descent) resume() (int, error) {
	var last record
	for i, line := range x.r.Progress.Done {
		before := last.Step
		last = record{}
		if err := json.Unmarshal(line, &last); err != nil || last.Step > x.o.Steps || last.FLOP < 0 || len(last.Seen) != last.Step-before {
			return 0, fmt.Errorf("progress: record %d: %w", i+1, errRecord)
		}
		for k, s := range last.Seen {
			x.observe(before+k+1, s)
		}
	}
	if n := len(x.r.Progress.Done); n > 0 {
		if err := x.adam.restore(last.State, last.Step); err != nil {
			return 0, fmt.Errorf("progress: record %d: %w", n, err)
		}
	}
	x.flop = last.FLOP
	return last.Step, nil
}

// bytes is the state.
func (a *adam) bytes() []byte {
	var out []byte
	for _, part := range [][]float64{a.params, a.mean, a.square} {
		for _, v := range part {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
	}
	return out
}

// restore takes a state over.
func (a *adam) restore(state []byte, steps int) error {
	if len(state) != 3*8*len(a.params) {
		return fmt.Errorf("state: expected %d bytes, found %d", 3*8*len(a.params), len(state))
	}
	for _, part := range [][]float64{a.params, a.mean, a.square} {
		for i := range part {
			part[i] = math.Float64frombits(binary.LittleEndian.Uint64(state))
			if state = state[8:]; math.IsNaN(part[i]) || math.IsInf(part[i], 0) {
				return fmt.Errorf("state: expected finite numbers, found %v", part[i])
			}
		}
	}
	a.steps = steps
	return nil
}
