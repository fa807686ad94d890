package task

import (
	"context"
	"slices"
)

// The gates over two bits, on models whose weights are written by hand. What is
// measured is whether a circuit is the gate on all inputs, so that the prompts
// are all pairs of different inputs. Resampling is the default: a cut edge then
// carries another bit, which asks whether the bit matters, where zero asks for
// constants too.
var (
	orBits  = gate("or_bits", "OR")
	andGate = gate("and_gate", "AND")
	xorGate = gate("xor_gate", "XOR")
)

// gate is the task of a gate.
func gate(name, what string) Task {
	return Task{
		Name:        name,
		Description: "the " + what + " of two bits, a one-layer model by hand, on every pair of inputs",
		Model:       name, Metric: "l2", Threshold: 0.02, Ablation: "resample",
		Examples: len(bitPairs), Generate: generateBits,
	}
}

// bits are the inputs of a gate: two bits, and the token at which it is read.
var bits = [][]int{{0, 0, 2}, {0, 1, 2}, {1, 0, 2}, {1, 1, 2}}

// bitPairs are clean and corrupt inputs, each clean one once before any comes
// again.
var bitPairs = func() (out [][2]int) {
	for step := 1; step < len(bits); step++ {
		for i := range bits {
			out = append(out, [2]int{i, i ^ step})
		}
	}
	return out
}()

// generateBits makes all pairs, again and again where more are asked for.
func generateBits(ctx context.Context, _ uint64, examples int) Data {
	return repeated(ctx, examples, len(bitPairs), func(i int) (clean, corrupt []int) {
		return bits[bitPairs[i][0]], bits[bitPairs[i][1]]
	})
}

// repeated makes examples of some different ones, again and again where more are
// asked for, of which the last position counts.
func repeated(ctx context.Context, examples, different int, example func(i int) (clean, corrupt []int)) Data {
	d := Data{}
	for i := range examples {
		if ctx.Err() != nil {
			return Data{}
		}
		clean, corrupt := example(i % different)
		mask := make([]bool, len(clean))
		mask[len(mask)-1] = true
		d.Clean, d.Corrupt, d.Mask = append(d.Clean, slices.Clone(clean)), append(d.Corrupt, slices.Clone(corrupt)), append(d.Mask, mask)
	}
	return d
}

var inductionHeads = Task{
	Name:        "induction_heads",
	Description: "continue A B C A -> B and A B C B -> C, a previous token head and an induction head by hand",
	Model:       "induction_heads", Metric: "l2", Threshold: 0.02, Ablation: "resample",
	Examples: len(repeats), Generate: generateRepeats,
}

// repeats are three different tokens of four behind the token 0, and one of the
// first two again.
var repeats = func() (out [][]int) {
	for again := range 2 {
		for i := range 4 * 4 * 4 {
			row := []int{0, 1 + i/16, 1 + i/4%4, 1 + i%4}
			if row[1] != row[2] && row[2] != row[3] && row[3] != row[1] {
				out = append(out, append(row, row[1+again]))
			}
		}
	}
	return out
}()

// generateRepeats makes all prompts. The corrupt one has the next token in place
// of each of the first three, and the other of the first two at the end, so that
// whatever is read of it is wrong.
func generateRepeats(ctx context.Context, _ uint64, examples int) Data {
	return repeated(ctx, examples, len(repeats), func(i int) (clean, corrupt []int) {
		clean = repeats[i]
		corrupt = slices.Clone(clean)
		for k := 1; k <= 3; k++ {
			corrupt[k] = clean[k]%4 + 1
		}
		corrupt[4] = corrupt[1]
		if clean[4] == clean[1] {
			corrupt[4] = corrupt[2]
		}
		return clean, corrupt
	})
}
