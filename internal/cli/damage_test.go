package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-2c350065/acdc/pkg/weights"
)

// damageCommand is: damage KIND FROM TO [TENSOR or FIELD]. It copies a file
// and breaks the copy.
func damageCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: damage kind from to [tensor or field]")
	}
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	name := strings.Join(args[3:], "")
	switch kind := args[0]; kind {
	case "truncated":
		data = data[:len(data)/2]
	case "header-too-long":
		binary.LittleEndian.PutUint64(data, uint64(len(data)))
	case "no-field":
		var object map[string]any
		ts.Check(json.Unmarshal(data, &object))
		at, path := object, strings.Split(name, ".")
		for _, outer := range path[:len(path)-1] {
			at = at[outer].(map[string]any)
		}
		delete(at, path[len(path)-1])
		data, err = json.Marshal(object)
		ts.Check(err)
	case "nan":
		entry, at := header(ts, data)[name], int(binary.LittleEndian.Uint64(data))+8
		offset := int(entry["data_offsets"].([]any)[0].(float64))
		binary.LittleEndian.PutUint32(data[at+offset+4:], math.Float32bits(float32(math.NaN())))
	default:
		data = editHeader(ts, data, kind, name)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o644))
}

// header is a safetensors file's description of its tensors.
func header(ts *testscript.TestScript, data []byte) map[string]map[string]any {
	n := binary.LittleEndian.Uint64(data)
	var h map[string]map[string]any
	ts.Check(json.Unmarshal(data[8:8+n], &h))
	return h
}

// editHeader breaks the entry of one tensor and leaves the data alone.
func editHeader(ts *testscript.TestScript, data []byte, kind, name string) []byte {
	h, n := header(ts, data), binary.LittleEndian.Uint64(data)
	e, ok := h[name]
	if !ok {
		ts.Fatalf("no tensor %q to damage", name)
	}
	switch kind {
	case "overlap":
		ends := e["data_offsets"].([]any)
		e["data_offsets"] = []any{ends[0].(float64) - 4, ends[1].(float64) - 4}
	case "dtype":
		e["dtype"] = "I32"
	case "missing":
		h["renamed"] = e
		delete(h, name)
	case "shape":
		e["shape"] = append([]any{1}, e["shape"].([]any)...)
	default:
		ts.Fatalf("unknown damage %q", kind)
	}
	text, err := json.Marshal(h)
	ts.Check(err)
	var b bytes.Buffer
	ts.Check(binary.Write(&b, binary.LittleEndian, uint64(len(text))))
	b.Write(text)
	b.Write(data[8+n:])
	return b.Bytes()
}

// makeDataCommand is: makedata KIND TO. It writes prompts of 4 examples of 5
// tokens that have something wrong for a model of 64 tokens and 16 positions.
func makeDataCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: makedata kind to")
	}
	tokens := func(name string, examples, length, first int) weights.Tensor {
		ids := make([]int64, examples*length)
		for i := range ids {
			ids[i] = int64(i % 7)
		}
		if len(ids) > 0 {
			ids[0] = int64(first)
		}
		return weights.Int64s(name, ids, examples, length)
	}
	good := tokens("clean", 4, 5, 1)
	var tensors []weights.Tensor
	switch args[0] {
	case "good":
		tensors = []weights.Tensor{good, tokens("corrupt", 4, 5, 2)}
	case "token":
		tensors = []weights.Tensor{good, tokens("corrupt", 4, 5, 1_000_000)}
	case "negative":
		tensors = []weights.Tensor{tokens("clean", 4, 5, -1), tokens("corrupt", 4, 5, 1)}
	case "unequal":
		tensors = []weights.Tensor{good, tokens("corrupt", 3, 5, 1)}
	case "empty":
		tensors = []weights.Tensor{tokens("clean", 0, 5, 1), tokens("corrupt", 0, 5, 1)}
	case "long":
		tensors = []weights.Tensor{tokens("clean", 2, 5000, 1), tokens("corrupt", 2, 5000, 1)}
	case "no-clean":
		tensors = []weights.Tensor{tokens("corrupt", 4, 5, 1)}
	case "no-corrupt":
		tensors = []weights.Tensor{good}
	case "floats":
		tensors = []weights.Tensor{weights.Float32s("clean", make([]float32, 20), 4, 5)}
	case "no-mask":
		tensors = []weights.Tensor{good, tokens("corrupt", 4, 5, 2), weights.Mask("mask", make([]bool, 20), 4, 5)}
	default:
		ts.Fatalf("unknown data %q", args[0])
	}
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Check(weights.Write(f, tensors, nil))
	ts.Check(f.Close())
}
