package transformer

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Point is a place in the forward pass at which activations can be read or
// replaced, with its name in TransformerLens.
type Point uint8

// The hook points, in the order in which a pass comes to them.
const (
	HookEmbed     Point = iota // hook_embed [B,T,D]
	HookPosEmbed               // hook_pos_embed [B,T,D]
	HookResidPre               // hook_resid_pre [B,T,D]
	HookQInput                 // hook_q_input [B,T,H,D], before ln1, one copy a head
	HookKInput                 // hook_k_input [B,T,H,D]
	HookVInput                 // hook_v_input [B,T,H,D]
	HookLN1                    // ln1.hook_normalized [B,T,D]
	HookQ                      // attn.hook_q [B,T,H,K]
	HookK                      // attn.hook_k [B,T,G,K]; [B,T,H,K] where hooks give each head its own input, as all points of keys and values
	HookV                      // attn.hook_v [B,T,G,K]
	HookRotQ                   // attn.hook_rot_q [B,T,H,K], after norms of queries and rotary positions
	HookRotK                   // attn.hook_rot_k [B,T,G,K]
	HookScores                 // attn.hook_attn_scores [B,H,T,T]
	HookPattern                // attn.hook_pattern [B,H,T,T]
	HookZ                      // attn.hook_z [B,T,H,K]
	HookResult                 // attn.hook_result [B,T,H,D], without b_O
	HookAttnOut                // hook_attn_out [B,T,D], after the norm behind attention
	HookResidMid               // hook_resid_mid [B,T,D]
	HookMLPIn                  // hook_mlp_in [B,T,D], before ln2
	HookLN2                    // ln2.hook_normalized [B,T,D]
	HookMLPPre                 // mlp.hook_pre [B,T,F]; of a gated MLP [B,T,2F], with what is multiplied beside it
	HookMLPPost                // mlp.hook_post [B,T,F]
	HookMLPOut                 // hook_mlp_out [B,T,D], after the norm behind the MLP
	HookResidPost              // hook_resid_post [B,T,D]
	HookLNFinal                // ln_final.hook_normalized [B,T,D]
	numPoints
)

var pointNames = [numPoints]string{
	"hook_embed", "hook_pos_embed", "hook_resid_pre", "hook_q_input", "hook_k_input", "hook_v_input",
	"ln1.hook_normalized", "attn.hook_q", "attn.hook_k", "attn.hook_v",
	"attn.hook_rot_q", "attn.hook_rot_k", "attn.hook_attn_scores", "attn.hook_pattern", "attn.hook_z", "attn.hook_result", "hook_attn_out", "hook_resid_mid",
	"hook_mlp_in", "ln2.hook_normalized", "mlp.hook_pre", "mlp.hook_post", "hook_mlp_out",
	"hook_resid_post", "ln_final.hook_normalized",
}

// inBlock reports whether the point exists once a block.
func (p Point) inBlock() bool { return p > HookPosEmbed && p < HookLNFinal }

// side is 0, 1 or 2 of points of queries, keys or values, else -1.
func (p Point) side() int {
	switch {
	case p >= HookQ && p <= HookV:
		return int(p - HookQ)
	case p == HookRotQ || p == HookRotK:
		return int(p - HookRotQ)
	}
	return -1
}

// HookPoint is a hook point of one block; Layer is zero where the point stands
// outside the blocks.
type HookPoint struct {
	Point Point
	Layer int
}

// String is the name in TransformerLens: "blocks.0.attn.hook_q".
func (h HookPoint) String() string {
	if h.Point >= numPoints {
		return fmt.Sprintf("Point(%d)", uint8(h.Point))
	}
	if h.Point.inBlock() {
		return "blocks." + strconv.Itoa(h.Layer) + "." + pointNames[h.Point]
	}
	return pointNames[h.Point]
}

// ParseHookPoint reads a name as HookPoint.String writes it.
func ParseHookPoint(name string) (HookPoint, error) {
	layer, tail, inBlock := 0, name, false
	if rest, ok := strings.CutPrefix(name, "blocks."); ok {
		digits, after, ok := strings.Cut(rest, ".")
		n, err := strconv.Atoi(digits)
		if ok && err == nil && n >= 0 {
			layer, tail, inBlock = n, after, true
		}
	}
	for p, known := range pointNames {
		if known == tail && Point(p).inBlock() == inBlock {
			return HookPoint{Point(p), layer}, nil
		}
	}
	return HookPoint{}, fmt.Errorf("hook point %q is unknown: expected a TransformerLens name like blocks.0.attn.hook_q", name)
}

// Hook is a function that is called when a pass comes to a hook point. It may
// read the activation and change it in place; it must not keep the tensor,
// whose memory the pass uses again.
type Hook struct {
	At HookPoint
	Do func(activation *tensor.Tensor)
}

// Cache holds copies of activations by hook point.
type Cache map[HookPoint]*tensor.Tensor

// exists reports whether a model of this configuration comes to the point.
func (c Config) exists(h HookPoint) bool {
	if h.Point >= numPoints || h.Layer < 0 || h.Point.inBlock() && h.Layer >= c.Layers {
		return false
	}
	if c.AttnOnly && h.Point >= HookResidMid && h.Point <= HookMLPOut {
		return false
	}
	if c.ParallelAttnMLP && h.Point == HookResidMid {
		return false
	}
	if (h.Point == HookRotQ || h.Point == HookRotK) && !c.Turned(0) {
		return false
	}
	return h.Point != HookPosEmbed || c.Positions == Standard
}

// RunWithCache runs the model and returns the logits [B,T,V] and a copy of the
// activation at each point. A point that the model does not have is an error.
func (m *Model) RunWithCache(ctx context.Context, tokens [][]int, points []HookPoint, o Options) (*tensor.Tensor, Cache, error) {
	cache := Cache{}
	for _, p := range points {
		o.Hooks = append(o.Hooks, Hook{p, func(t *tensor.Tensor) { cache[p] = t.Clone() }})
	}
	logits, err := m.Forward(ctx, tokens, o)
	return logits, cache, err
}
