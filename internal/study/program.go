package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// Program says what is to be compiled, and on what the model is to be run.
type Program struct {
	Name     string       // a file, or one of the programs that come with the project
	Vocab    []rasp.Value // nil for the file's own
	MaxLen   int          // 0 for the file's own
	Causal   bool         // whatever the file says
	Examples int          // at most, of the data
	Seed     uint64       // of the data
	Threads  int
}

// Compiled is a program as a model, with data and the true circuit.
type Compiled struct {
	Model   *compile.Model
	Data    task.Data
	Graph   *circuit.Graph // embeddings of tokens and positions are two senders
	True    circuit.Mask
	Checked int        // inputs on which the model was held to the program
	Worst   float64    // and the largest difference of a logit
	source  string     // the program's text, with the domain that it was compiled for
	metrics [3]float64 // l2 of the full model, of the true circuit, of the corrupted run
}

// mostChecked bounds the inputs that a model is held to.
const mostChecked = 1000

// tolerance is how far a logit of a compiled model may be off.
const tolerance = 1e-5

// Compile reads and compiles a program, draws data, and holds the model to what
// the program means.
func (p Program) Compile(ctx context.Context) (*Compiled, error) {
	c := &Compiled{}
	f, expr, domain, err := p.read(ctx, c)
	if err != nil {
		return nil, err
	}
	if c.Model, err = compile.Compile(ctx, expr, domain, compile.Options{}); err != nil {
		return nil, f.Locate(err)
	}
	if err := c.check(ctx, p); err != nil {
		return nil, err
	}
	if c.Data, err = programPrompts(c.Model, p.Examples, p.Seed); err != nil {
		return nil, err
	}
	if err := c.measure(ctx, p); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return c, nil
}

// isShipped reports whether a name without an ending is of a program of the
// project's: files of such names are files, folders are not.
func isShipped(name string) bool {
	info, err := os.Stat(name)
	return filepath.Ext(name) == "" && (errors.Is(err, os.ErrNotExist) || err == nil && info.IsDir() && slices.Contains(programs.Names(), name))
}

// read reads the program, and its text with the domain that it is compiled for.
func (p Program) read(ctx context.Context, c *Compiled) (f *text.File, expr rasp.Expr, d rasp.Domain, err error) {
	if isShipped(p.Name) {
		if c.source, err = programs.Source(p.Name); err != nil {
			return nil, nil, d, usagef("%v, or a file", err)
		}
		f, err = programs.Parse(p.Name)
	} else {
		f, c.source, err = programs.ReadFile(ctx, p.Name)
	}
	if err != nil {
		return nil, nil, d, err
	}
	if d, err = f.Domain(p.Vocab, p.MaxLen, p.Causal); err != nil {
		return nil, nil, d, err
	}
	if p.Vocab != nil || p.MaxLen != 0 || p.Causal {
		own := *f
		own.Vocab, own.MaxLen, own.Causal = d.Vocab, d.MaxLen, d.Causal
		c.source = own.String()
	}
	expr, err = f.Program()
	return f, expr, d, err
}

// check runs the model on inputs of every length, and compares what comes out
// with what the program means, where it means anything.
func (c *Compiled) check(ctx context.Context, p Program) error {
	inputs, _ := c.Model.Domain.Inputs(mostChecked, p.Seed)
	for _, input := range inputs {
		want, err := c.Model.Eval(input)
		var mixed *rasp.MixedError
		if errors.As(err, &mixed) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		ids, err := c.Model.Encode(input)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		logits, err := c.Model.Transformer.Forward(ctx, [][]int{ids}, transformer.Options{Threads: p.Threads})
		if err != nil {
			return err
		}
		for i, v := range want {
			for k, x := range c.Model.Logits(v) {
				c.Worst = math.Max(c.Worst, math.Abs(x-float64(logits.Row(i + 1)[k])))
			}
		}
		c.Checked++
	}
	if !(c.Worst <= tolerance) {
		return fmt.Errorf("%s: the compiled model is not the program: expected logits within %g of it, found %g", p.Name, tolerance, c.Worst)
	}
	return nil
}

// programData names, as data, the prompts that a model's own program gives.
const programData = "program"

// ProgramExamples is how many of them there are at most unless anybody says
// otherwise.
const ProgramExamples = 50

// OfProgram is what is studied of a program, a file or one of those that come with
// the project: its model on its own prompts. Nothing else may be said of model,
// task and data.
func (s Spec) OfProgram(name string) (Spec, error) {
	if s.Task != "" || s.Model != "" || s.Data != "" {
		return s, usagef("--program: expected no --task, --model or --data, which it brings")
	}
	s.Model, s.Data = name, programData
	if isShipped(name) {
		shipped, ok := zoo.Shipped(name)
		if !ok {
			return s, usagef("unknown program %q: expected one of %s, or a file that ends in .rasp", name, strings.Join(programs.Names(), ", "))
		}
		s.Model = shipped
		return s, nil
	}
	if !programs.IsFile(name) {
		return s, usagef("--program %s: expected a file that ends in .rasp", name)
	}
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("%s: no such file", name)
	}
	return s, nil
}

// programPrompts draws inputs of the greatest length, each once, on which the
// program has a value somewhere, and pairs each with another; all of them if they
// are no more than are asked for. The positions that count are those where it has
// one.
func programPrompts(m *compile.Model, examples int, seed uint64) (task.Data, error) {
	rng, out := rand.New(rand.NewPCG(seed, 0xda7a)), task.Data{}
	for input := range inputsOf(m.Domain, max(2, examples), rng) {
		values, err := m.Eval(input)
		var mixed *rasp.MixedError
		if errors.As(err, &mixed) { // it has no meaning here
			continue
		}
		if err != nil {
			return out, err
		}
		row, any := []bool{false}, false // BOS has no value
		for _, v := range values {
			row, any = append(row, v.Defined()), any || v.Defined()
		}
		if !any {
			continue
		}
		ids, err := m.Encode(input)
		if err != nil {
			return out, err
		}
		out.Clean, out.Mask = append(out.Clean, ids), append(out.Mask, row)
		if len(out.Clean) == max(2, examples) {
			break
		}
	}
	if n := len(out.Clean); n < 2 {
		return out, fmt.Errorf("program: expected at least two inputs of %d tokens on which it has a value, found %d", m.Domain.MaxLen, n)
	}
	out.Corrupt = task.Ring(out.Clean, rng)
	out.PosPermutation = rng.Perm(m.Domain.MaxLen + 1)
	return out, nil
}

// inputsOf are different inputs of the greatest length: all, one after the other,
// if they are no more than wanted, else drawn at random, as many as there is hope
// in.
func inputsOf(d rasp.Domain, wanted int, rng *rand.Rand) iter.Seq[[]rasp.Value] {
	total := math.Pow(float64(len(d.Vocab)), float64(d.MaxLen))
	return func(yield func([]rasp.Value) bool) {
		seen := map[string]bool{}
		for i := range min(int(math.Min(total, math.MaxInt32)), 1000*wanted) {
			input, drawn, rest := make([]rasp.Value, d.MaxLen), make([]int, d.MaxLen), i
			for k := range input {
				at := rng.IntN(len(d.Vocab))
				if total <= float64(wanted) {
					at, rest = rest%len(d.Vocab), rest/len(d.Vocab)
				}
				input[k], drawn[k] = d.Vocab[at], at
			}
			if key := fmt.Sprint(drawn); !seen[key] {
				seen[key] = true
				if !yield(input) {
					return
				}
			}
		}
	}
}

// measure derives the true circuit and measures it under zero ablation.
func (c *Compiled) measure(ctx context.Context, p Program) error {
	config := patch.Config{Model: c.Model.Transformer, SplitEmbed: true, Data: c.Data, Metric: metric.L2, Ablation: ablate.Zero, Threads: p.Threads}
	e, err := patch.Bind(ctx, config)
	if err != nil {
		return err
	}
	c.Graph = e.Graph()
	if c.True, err = c.Model.Circuit(ctx, c.Graph); err != nil {
		return err
	}
	c.metrics[0], c.metrics[2] = e.CleanMetric(), e.CorruptedMetric()
	c.metrics[1], err = incremental.Metric(ctx, e, c.True)
	return err
}

// The files of a compiled program, in the order in which they are written.
const (
	programFile = "program.rasp"
	configFile  = "config.json"
	tokensFile  = "tokens.json"
	dataFile    = "data.safetensors"
	circuitFile = "circuit.json"
	weightsFile = "model.safetensors"
)

// CompiledFiles lists the files that Save writes.
func CompiledFiles() []string {
	return []string{programFile, tokensFile, dataFile, circuitFile, configFile, weightsFile}
}

// Save writes the model to a folder, which is made if it is not there: the
// program, configuration and weights as TransformerLens has them, the meaning of
// tokens, logits and residual dimensions, data, and the true circuit. Each file
// is written whole or not at all, the weights last.
func (c *Compiled) Save(ctx context.Context, dir string, p Program) error {
	config, err := checkpoint.EncodeConfig(c.Model.Transformer.Config)
	if err != nil {
		return err
	}
	tokens, err := c.tokens(c.Model.Labels)
	if err != nil {
		return err
	}
	list, err := checkpoint.Tensors(c.Model.Transformer.Config, c.Model.Transformer.Params, weights.F32)
	if err != nil {
		return err
	}
	files := append(c.beside(tokens, c.circuit(dir, p, metric.L2, ablate.Zero)), atomicfile.Bytes(configFile, config))
	return atomicfile.WriteFolder(ctx, dir, append(files, atomicfile.File{Name: weightsFile, Write: func(w io.Writer) error {
		return weights.Write(w, list, map[string]string{"format": "pt", "program": c.source})
	}}))
}

// beside are the files beside the model's own.
func (c *Compiled) beside(tokens []byte, f *circuit.File) []atomicfile.File {
	return []atomicfile.File{
		atomicfile.Bytes(programFile, []byte(c.source)), atomicfile.Bytes(tokensFile, tokens),
		{Name: dataFile, Write: func(w io.Writer) error { return weights.Write(w, dataTensors(c.Data), nil) }},
		{Name: circuitFile, Write: f.Encode},
	}
}

// tokens is what tokens, logits and, where they have labels, residual dimensions
// stand for.
func (c *Compiled) tokens(labels []string) ([]byte, error) {
	names := func(values []rasp.Value) (out []string) {
		for _, v := range values {
			out = append(out, v.String())
		}
		return out
	}
	m := c.Model
	text, err := json.MarshalIndent(struct {
		Tokens   []string `json:"tokens"` // by id
		BOS      int      `json:"bos"`
		Pad      int      `json:"pad"`
		Logits   []string `json:"logits"`          // by logit, what it stands for; null where logit 0 is a number
		Residual []string `json:"residual_labels"` // by dimension; null where they mean nothing
	}{names(m.Tokens), m.BOS, m.Pad, names(m.Output), labels}, "", " ")
	return append(text, '\n'), err
}

// dataTensors are data as a file has them.
func dataTensors(d task.Data) []weights.Tensor {
	b, t := len(d.Clean), len(d.Clean[0])
	flat := func(rows [][]int) (out []int64) {
		for _, row := range rows {
			for _, id := range row {
				out = append(out, int64(id))
			}
		}
		return out
	}
	out := []weights.Tensor{weights.Int64s("clean", flat(d.Clean), b, t), weights.Int64s("corrupt", flat(d.Corrupt), b, t),
		weights.Mask("mask", slices.Concat(d.Mask...), b, t)}
	if d.PosPermutation == nil {
		return out
	}
	permutation := make([]int64, t)
	for i, p := range d.PosPermutation {
		permutation[i] = int64(p)
	}
	return append(out, weights.Int64s("pos_permutation", permutation, t))
}

// circuit is the true circuit as a file, which says what it was measured on and how.
func (c *Compiled) circuit(dir string, p Program, m metric.Name, a ablate.Ablation) *circuit.File {
	f := &circuit.File{Graph: c.Graph.Info(), EdgesTotal: c.Graph.NumEdges(),
		Run: circuit.Run{Algorithm: "compile", Model: filepath.ToSlash(dir), Data: filepath.ToSlash(filepath.Join(dir, dataFile)),
			Metric: string(m), Ablation: string(a), Seed: p.Seed, Examples: len(c.Data.Clean), PosPermutation: c.Data.PosPermutation},
		Measured: circuit.Measured{Initial: c.metrics[0], Final: c.metrics[1], Corrupted: c.metrics[2]}}
	f.SetCircuit(c.Graph, c.True, nil, false)
	return f
}
