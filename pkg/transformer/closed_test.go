package transformer_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// calls has a call for every method of a model, of the small configuration.
func calls(m *transformer.Model) map[string]func() {
	matrix := func(rows, cols int) tensor.Matrix { return tensor.New(rows, cols).Matrix() }
	c := m.Config
	rows, all := matrix(2, c.DModel), matrix(2, c.Heads*c.DHead)
	at, three := []int{0, 1}, [3]tensor.Matrix{all, all, all}
	s := m.NewStandardized
	backward := func() {
		a := transformer.Activations{Layers: []transformer.LayerActivations{{}}}
		a.Out = tensor.New(2, c.DModel)
		x := &a.Layers[0]
		x.AttnIn, x.MLPIn, x.Z = a.Out, a.Out, tensor.New(2, c.Heads*c.DHead)
		x.QKV = [3]*tensor.Tensor{x.Z, x.Z, x.Z}
		_ = m.Backward(context.Background(), &transformer.Tape{Activations: &a, Tokens: [][]int{{1, 2}}},
			transformer.LogitGradient{Grad: matrix(2, c.VocabOut)}, transformer.BackwardOptions{})
	}
	return map[string]func(){
		"RecordTape": func() {
			_, _, _ = m.RecordTape(context.Background(), [][]int{{1, 2}}, false, transformer.Options{})
		},
		"Backward":           backward,
		"Reverse":            func() { m.Reverse(1, 2, nil, 1) },
		"NewStandardized":    func() { s(2) },
		"Standardize":        func() { m.Standardize(transformer.Standardized{X: rows, Inv: make([]float32, 2)}, rows) },
		"Norm1Backward":      func() { m.Norm1Backward(0, rows, rows, s(2), transformer.Rules{}) },
		"Norm2Backward":      func() { m.Norm2Backward(0, rows, rows, s(2), transformer.Rules{}) },
		"NormFinalBackward":  func() { m.NormFinalBackward(rows, rows, s(2), transformer.Rules{}) },
		"HeadBackward":       func() { m.HeadBackward(0, 0, 0, rows, matrix(2, c.DHead)) },
		"AddHeadsBackward":   func() { m.AddHeadsBackward(0, 0, rows, all) },
		"AddHeadOutBackward": func() { m.AddHeadOutBackward(0, 0, matrix(2, c.DHead), rows) },
		"HeadsOutBackward":   func() { m.HeadsOutBackward(0, all, rows) },
		"RotateBackward":     func() { m.RotateBackward(0, all, at) },
		"AttendBackward": func() {
			m.AttendBackward(0, three, all, three, 0, make([]float32, transformer.AttendScratch(2)), transformer.Rules{})
		},
		"MLPOutBackward":   func() { m.MLPOutBackward(0, matrix(2, c.DMLP), rows) },
		"ActivateBackward": func() { m.ActivateBackward(make([]float32, 2), make([]float32, 2), nil, transformer.Rules{}) },
		"MLPPreBackward":   func() { m.MLPPreBackward(0, rows, matrix(2, c.DMLP)) },
		"UnembedBackward":  func() { m.UnembedBackward(rows, matrix(2, c.VocabOut)) },
		"Close":            m.Close,
		"Forward":          func() { _, _ = m.Forward(context.Background(), [][]int{{1, 2}}, transformer.Options{}) },
		"RunWithCache":     func() { _, _, _ = m.RunWithCache(context.Background(), [][]int{{1, 2}}, nil, transformer.Options{}) },
		"Record":           func() { _, _ = m.Record(context.Background(), [][]int{{1, 2}}, false, transformer.Options{}) },
		"CheckTokens":      func() { _ = m.CheckTokens("tokens", [][]int{{1, 2}}) },
		"Hash":             func() { _, _ = m.Hash(context.Background(), 1) },
		"Repack":           m.Repack,
		"Norm1":            func() { m.Norm1(0, rows, rows) },
		"Norm2":            func() { m.Norm2(0, rows, rows) },
		"NormFinal":        func() { m.NormFinal(rows, rows) },
		"AddPositions":     func() { m.AddPositions(0, rows, at) },
		"Heads":            func() { m.Heads(0, 0, all, rows) },
		"Head":             func() { m.Head(0, 0, 0, matrix(2, c.DHead), rows) },
		"Turn":             func() { m.Turn(0, 0, all, at) },
		"AttnOut":          func() { m.AttnOut(0, rows) },
		"AttnSum":          func() { m.AttnSum(0, rows, all) },
		"AttnPost":         func() { m.AttnPost(0, rows) },
		"AddAttnChange":    func() { m.AddAttnChange(0, rows, rows, rows, rows) },
		"AttnPostSees":     func() { m.AttnPostSees(rows, make([]float32, 2)) },
		"AttnPostForward": func() {
			m.AttnPostForward(0, rows, transformer.Standardized{X: rows, Inv: make([]float32, 2)}, transformer.Rules{})
		},
		"AttnPostBackward": func() {
			m.AttnPostBackward(0, rows, rows, transformer.Standardized{X: rows, Inv: make([]float32, 2)}, transformer.Rules{})
		},
		"MLPPost": func() { m.MLPPost(matrix(2, c.MLPWidth())) },
		"MLPPostBackward": func() {
			m.MLPPostBackward(matrix(2, c.MLPWidth()), matrix(2, c.MLPWidth()), make([]float32, 2*c.DMLP), transformer.Rules{})
		},
		"CapLogits":      func() { m.CapLogits(matrix(2, c.VocabOut)) },
		"Rotate":         func() { m.Rotate(0, all, at) },
		"Scores":         func() { m.Scores(0, matrix(2, 2), all, all, 0) },
		"Pattern":        func() { m.Pattern(0, matrix(2, 2), 0) },
		"Attend":         func() { m.Attend(0, all, all, all, all, at, 0, nil) },
		"AddHeadOut":     func() { m.AddHeadOut(0, 0, rows, matrix(2, c.DHead)) },
		"AddHeadsOut":    func() { m.AddHeadsOut(0, rows, all) },
		"MLPPre":         func() { m.MLPPre(0, matrix(2, c.DMLP), rows) },
		"Activate":       func() { m.Activate(make([]float32, 2)) },
		"MLPOut":         func() { m.MLPOut(0, rows, matrix(2, c.DMLP)) },
		"Unembed":        func() { m.Unembed(matrix(2, c.VocabOut), rows) },
		"UnembedColumns": func() { m.UnembedColumns(matrix(2, c.VocabOut), rows, 0, c.VocabOut) },
		"HeadOutOnto":    func() { m.HeadOutOnto(0, 0, rows, rows, matrix(2, c.DHead)) },
	}
}

// Every method works before Close, and is a panic that says so afterwards,
// whatever it reads; closing again does nothing.
func TestUseAfterClose(t *testing.T) {
	m := golden.RandomModel(t, config(), 1)
	list := calls(m)
	var names []string
	for method := range reflect.TypeOf(m).Methods() {
		names = append(names, method.Name)
	}
	require.NotEmpty(t, names)
	slices.Sort(names)
	for _, name := range names {
		require.Contains(t, list, name, "a method that this test does not know")
		if name != "Close" {
			assert.NotPanics(t, list[name], name)
		}
	}
	assert.Len(t, list, len(names))
	m.Close()
	for _, name := range names {
		if name == "Close" {
			assert.NotPanics(t, m.Close)
			continue
		}
		assert.PanicsWithValue(t, "transformer: the model is used after Close", list[name], name)
	}
}

// A layer or a head that the model has not is a panic that says so.
func TestLayersAndHeadsAreChecked(t *testing.T) {
	m := golden.RandomModel(t, config(), 1)
	c := m.Config
	rows, head := tensor.New(2, c.DModel).Matrix(), tensor.New(2, c.DHead).Matrix()
	layer := fmt.Sprintf("transformer: layer 9 of a model of %d", c.Layers)
	heads := fmt.Sprintf("transformer: head 77 of a model of %d heads", c.Heads)
	for _, do := range []func(){
		func() { m.Head(9, 0, 0, head, rows) }, func() { m.AddHeadOut(9, 0, rows, head) }, func() { m.HeadOutOnto(9, 0, rows, rows, head) },
	} {
		assert.PanicsWithValue(t, layer, do)
	}
	for _, do := range []func(){
		func() { m.Head(0, 0, 77, head, rows) }, func() { m.AddHeadOut(0, 77, rows, head) }, func() { m.HeadOutOnto(0, 77, rows, rows, head) },
	} {
		assert.PanicsWithValue(t, heads, do)
	}
}
