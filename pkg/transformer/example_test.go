package transformer_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// load reads a model folder. The weights stay where they lie: the file is left
// open for as long as the model is used.
func load(folder string) (*transformer.Model, error) {
	f, err := os.Open(folder + "/config.json")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	config, err := checkpoint.ReadConfig(context.Background(), f.Name(), f)
	if err != nil {
		return nil, err
	}
	w, err := weights.Open(context.Background(), folder+"/model.safetensors")
	if err != nil {
		return nil, err
	}
	m, err := checkpoint.Load(context.Background(), config, w)
	if err != nil {
		return nil, err
	}
	return m.Model, nil
}

// repeated is a batch of one prompt: 0, then 19 different tokens twice, without
// the last. What comes next is what followed the first time, token 85 at
// position 19.
func repeated() [][]int {
	prompt := []int{0}
	for t := range 37 {
		prompt = append(prompt, 1+(t%19)*47%127)
	}
	return [][]int{prompt}
}

// largest is the index of the largest value.
func largest(x []float32) int {
	at := 0
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// Any activation can be kept under its TransformerLens name. The patterns show
// how this model continues a repeat: head 0 of layer 0 writes each token to the
// position after it. Head 1 of layer 1 looks for the position that was written
// the present token, and reads the token there.
func ExampleModel_RunWithCache() {
	m, err := load("../zoo/builtin/induction")
	if err != nil {
		log.Fatal(err)
	}
	pattern := func(layer int) transformer.HookPoint { // blocks.0.attn.hook_pattern [B,H,T,T]
		return transformer.HookPoint{Point: transformer.HookPattern, Layer: layer}
	}
	prompt := repeated()
	logits, cache, err := m.RunWithCache(context.Background(), prompt, []transformer.HookPoint{pattern(0), pattern(1)}, transformer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	length := len(prompt[0])
	looksAt := func(layer, head, position int) int {
		return largest(cache[pattern(layer)].Row(head*length + position))
	}

	last := length - 1
	fmt.Printf("present token %d, next token %d\n", prompt[0][last], largest(logits.Row(last)))
	there := looksAt(1, 1, last)
	fmt.Printf("a1.h1 looks at position %d, token %d\n", there, prompt[0][there])
	before := looksAt(0, 0, there)
	fmt.Printf("from there a0.h0 looked at position %d, token %d\n", before, prompt[0][before])
	// Output:
	// present token 38, next token 85
	// a1.h1 looks at position 19, token 85
	// from there a0.h0 looked at position 18, token 38
}

// A hook may change what flows past: without the outputs of layer 0's heads the
// repeat goes unseen.
func ExampleModel_Forward() {
	m, err := load("../zoo/builtin/induction")
	if err != nil {
		log.Fatal(err)
	}
	at, err := transformer.ParseHookPoint("blocks.0.attn.hook_z")
	if err != nil {
		log.Fatal(err)
	}
	zero := transformer.Hook{At: at, Do: func(z *tensor.Tensor) { z.Zero() }} // z is [B,T,H,K]
	for _, hooks := range [][]transformer.Hook{nil, {zero}} {
		logits, err := m.Forward(context.Background(), repeated(), transformer.Options{Hooks: hooks})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("next token:", largest(logits.Row(logits.Rows()-1)))
	}
	// Output:
	// next token: 85
	// next token: 57
}

// A forward pass with a tape, the gradient of the loss with respect to its
// logits, and the way backward make a step of gradient descent: here a model
// learns to count to seven and begin again.
func ExampleModel_Backward() {
	c := transformer.Config{Layers: 1, DModel: 16, Ctx: 12, DHead: 8, Heads: 2, DMLP: 32, Vocab: 7, VocabOut: 7, Activation: transformer.GELU,
		Eps: 1e-5, Norm: transformer.LNPre, Direction: transformer.Causal, Positions: transformer.Standard, AttnScale: 3}
	params, rng := transformer.NewParams(c), rand.New(rand.NewPCG(1, 1))
	for _, p := range params.All(c) {
		for i := range p.Data() {
			p.Data()[i] = float32(rng.NormFloat64()) / 4
		}
	}
	m, err := transformer.New(c, params)
	if err != nil {
		log.Fatal(err)
	}
	prompt := []int{0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3}
	step := func() (loss float64) {
		logits, tape, err := m.RecordTape(context.Background(), [][]int{prompt[:10]}, true, transformer.Options{})
		if err != nil {
			log.Fatal(err)
		}
		for i := range 10 { // the logits become their gradient
			loss += tensor.CrossEntropyBackward(logits.Row(i), prompt[i+1], 1./10) / 10
		}
		grads := transformer.NewParams(c)
		if err := m.Backward(context.Background(), tape, transformer.LogitGradient{Grad: logits.Matrix()}, transformer.BackwardOptions{Grads: grads}); err != nil {
			log.Fatal(err)
		}
		for i, p := range params.All(c) {
			tensor.Axpy(p.Data(), -0.3, grads.All(c)[i].Data())
		}
		m.Repack()
		return loss
	}
	fmt.Printf("%.1f nats at first\n", step())
	for range 100 {
		step()
	}
	fmt.Printf("%.1f nats after 100 steps\n", step())
	// Output:
	// 1.9 nats at first
	// 0.0 nats after 100 steps
}
