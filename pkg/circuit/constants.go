package circuit

import "fmt"

// Constants are what ablated senders send at every position, whatever the
// prompt: what a circuit was found with under optimal ablation.
type Constants struct {
	Embed  []float32   `json:"embed"`               // [D]
	Pos    []float32   `json:"pos_embed,omitempty"` // [D], of models with a position embedding that is added
	Z      [][]float32 `json:"z"`                   // by layer [H·K], hook_z
	MLPOut [][]float32 `json:"mlp_out,omitempty"`   // by layer [D], hook_mlp_out
}

// check refuses numbers that are none.
func (c *Constants) check() error {
	if c == nil {
		return nil
	}
	for name, rows := range map[string][][]float32{"embed": {c.Embed}, "pos_embed": {c.Pos}, "z": c.Z, "mlp_out": c.MLPOut} {
		for _, row := range rows {
			for _, x := range row {
				if !isFinite(float64(x)) {
					return fmt.Errorf("field \"constants\".%q: expected finite numbers, found %v", name, x)
				}
			}
		}
	}
	return nil
}
