package weights_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

const onlyTensors = ": only tensors are read, nothing in a pickle is executed"

// decodePickle reads a zip and a legacy file of one pickle and returns the
// error, which is the same but for the place.
func decodePickle(t testing.TB, pickle []byte) error {
	t.Helper()
	s := []weightstest.Storage{storage(t, "0", 1, 2)}
	var b, l bytes.Buffer
	require.NoError(t, weightstest.ZipFile(&b, pickle, s))
	_, err := weights.DecodeFile(t.Context(), "m", b.Bytes())
	require.NoError(t, weightstest.LegacyFile(&l, pickle, s))
	_, legacy := weights.DecodeFile(t.Context(), "m", l.Bytes())
	require.Error(t, legacy)
	if err != nil {
		require.NotContains(t, err.Error(), "\n")
	}
	return err
}

// Whatever a pickle asks for besides tensors is refused by name.
func TestRefusedByName(t *testing.T) {
	for _, name := range []string{
		"os.system", "posix.system", "nt.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "builtins.getattr",
		"builtins.__import__", "__builtin__.eval", "__builtin__.getattr", "torch.load", "torch.jit.load", "torch.hub.load",
		"torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_qtensor", "torch._tensor._rebuild_from_type_v2",
		"torch.nn.parameter.Parameter", "torch.FooStorage", "torch.storage._load_from_bytes", "numpy.load", "numpy.core.multiarray._reconstruct",
		"pickle.loads", "shutil.rmtree", "runpy._run_code", "webbrowser.open", "socket.socket", "operator.attrgetter",
		"collections.defaultdict", "copyreg._reconstructor", "argparse.Namespace", "transformers.models.gpt2.modeling_gpt2.GPT2LMHeadModel",
	} {
		dot := strings.LastIndexByte(name, '.')
		module, attr := name[:dot], name[dot+1:]
		want := "m: pickle asks for " + name + onlyTensors
		reduce := weightstest.NewPickle().Global(module, attr).Text("touch x").Op("\x85R").Stop()
		require.EqualError(t, decodePickle(t, reduce), want)
		stack := weightstest.NewPickle().Text(module).Text(attr).Op("\x93").Text("touch x").Op("\x85R").Stop()
		require.EqualError(t, decodePickle(t, stack), want)
		inst := []byte("(i" + module + "\n" + attr + "\n.")
		require.EqualError(t, decodePickle(t, inst), "m: pickle asks for an instance of "+name+onlyTensors)
	}
	require.EqualError(t, decodePickle(t, []byte("c\x00os\nsys\ttem\n.")), `m: pickle asks for "\x00os.sys\ttem"`+onlyTensors)
	long := decodePickle(t, weightstest.NewPickle().Global(strings.Repeat("a", 10000), "b").Stop())
	require.Less(t, len(long.Error()), 400)
}

// The files that other readers run do nothing here.
func TestNothingIsExecuted(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	for _, pickle := range [][]byte{
		weightstest.NewPickle().Global("os", "system").Text("touch " + mark).Op("\x85R").Stop(),
		weightstest.NewPickle().Global("builtins", "open").Text(mark).Text("w").Op("\x86R").Stop(),
		[]byte("cos\nsystem\n(S'touch " + mark + "'\ntR."),
		[]byte("(S'touch " + mark + "'\nios\nsystem\n."),
		[]byte("(cos\nsystem\nS'touch " + mark + "'\no."),
		weightstest.NewPickle().Global("os", "system").Text("touch " + mark).Op("\x85\x81").Stop(),
		weightstest.NewPickle().Global("collections", "OrderedDict").Op(")R}").Text("__setstate__").Global("os", "system").Op("sb").Stop(),
	} {
		require.ErrorContains(t, decodePickle(t, pickle), onlyTensors)
		for _, file := range []string{"plain.pt", "plain.bin"} {
			path := filepath.Join(t.TempDir(), file)
			require.NoError(t, os.WriteFile(path, pickle, 0o644))
			_, err := weights.OpenAny(t.Context(), path)
			require.Error(t, err)
		}
	}
	require.NoFileExists(t, mark)
}

// Each is a whole pickle, with the error after "m: ".
func TestHostilePickles(t *testing.T) {
	s := storage(t, "0", 1, 2)
	p := weightstest.NewPickle
	rebuild := func() *weightstest.Pickle { return p().Global("torch._utils", "_rebuild_tensor_v2").Op("(") }
	for _, c := range []struct {
		name, want string
		pickle     []byte
	}{
		{"nothing", `pickle: truncated: 1 bytes expected at byte 0, found 0`, nil},
		{"no stop", `pickle: truncated: 1 bytes expected at byte 2, found 0`, p().Bytes},
		{"stop at once", `pickle: byte 2: STOP: one object expected on the stack, found 0`, p().Stop()},
		{"stop with two", `pickle: byte 4: STOP: one object expected on the stack, found 2`, p().Op("NN").Stop()},
		{"stop with a mark", `pickle: byte 4: STOP: one object expected on the stack, found 1`, p().Op("(N").Stop()},
		{"more behind", `pickle: the end expected after its STOP, found more at byte 4`, p().Op("N.").Stop()},
		{"protocol", `pickle: byte 0: PROTO: protocol 0 to 5 expected, found 6`, []byte("\x80\x06N.")},
		{"unknown opcode", `pickle: byte 2: an opcode that PyTorch writes expected, found byte 0xff`, p().Op("\xff").Stop()},
		{"OBJ", `pickle: byte 26: an opcode that PyTorch writes expected, found OBJ`, []byte("(ccollections\nOrderedDict\no.")},
		{"NEWOBJ", `pickle: byte 28: an opcode that PyTorch writes expected, found NEWOBJ`, p().Global("collections", "OrderedDict").Op(")\x81").Stop()},
		{"NEWOBJ_EX", `pickle: byte 29: an opcode that PyTorch writes expected, found NEWOBJ_EX`, p().Global("collections", "OrderedDict").Op(")}\x92").Stop()},
		{"EXT1", `pickle: byte 2: an opcode that PyTorch writes expected, found EXT1`, p().Op("\x82\x01").Stop()},
		{"NEXT_BUFFER", `pickle: byte 2: an opcode that PyTorch writes expected, found NEXT_BUFFER`, p().Op("\x97").Stop()},
		{"PERSID", `pickle: byte 2: an opcode that PyTorch writes expected, found PERSID`, p().Op("P0\n").Stop()},
		{"REDUCE of a dict", `pickle: byte 4: REDUCE: a function that rebuilds tensors expected, found a dict`, p().Op("})R").Stop()},
		{"REDUCE of a storage", `pickle: byte 23: REDUCE: a function that rebuilds tensors expected, found torch.FloatStorage`, p().Global("torch", "FloatStorage").Op(")R").Stop()},
		{"REDUCE of a dtype", `pickle: byte 18: REDUCE: a function that rebuilds tensors expected, found a dtype`, p().Global("torch", "float32").Op(")R").Stop()},
		{"REDUCE without tuple", `pickle: byte 28: REDUCE: collections.OrderedDict: a tuple of arguments expected, found None`, p().Global("collections", "OrderedDict").Op("NR").Stop()},
		{"REDUCE on nothing", `pickle: byte 3: REDUCE: 2 values expected on the stack, found 1`, p().Op("NR").Stop()},
		{"REDUCE below a mark", `pickle: byte 30: REDUCE: 2 values expected on the stack, found 0`, p().Global("collections", "OrderedDict").Op(")((R").Stop()},
		{"BUILD of a list", `pickle: byte 4: BUILD: a dict expected, found a list`, p().Op("]}b").Stop()},
		{"BUILD of a tensor", `BUILD: a dict expected, found a tensor`, p().Tensor(s, weightstest.View{}).Op("}b").Stop()},
		{"BUILD of a class", `pickle: byte 28: BUILD: a dict expected, found collections.OrderedDict`, p().Global("collections", "OrderedDict").Op("}b").Stop()},
		{"APPEND to a dict", `pickle: byte 4: APPEND: a list expected, found a dict`, p().Op("}Na").Stop()},
		{"SETITEM in a list", `pickle: byte 5: SETITEM: a dict expected, found a list`, p().Op("]NNs").Stop()},
		{"odd SETITEMS", `pickle: byte 5: SETITEMS: a value for every key expected, found 1 objects`, p().Op("}(Nu").Stop()},
		{"no mark", `pickle: byte 3: TUPLE: a mark expected on the stack, found none`, p().Op("Nt").Stop()},
		{"POP on nothing", `pickle: byte 2: POP: 1 values expected on the stack, found 0`, p().Op("0").Stop()},
		{"memory unknown", `pickle: byte 2: BINGET: a remembered object expected, found none of number 7`, p().Op("h\x07").Stop()},
		{"memory far", `pickle: byte 2: GET: a remembered object expected, found none of number 4294967296`, p().Op("g4294967296\n").Stop()},
		{"memory number", `pickle: byte 3: PUT: a number below 2^32 expected, found 99999999999`, p().Op("Np99999999999\n").Stop()},
		{"memory word", `pickle: byte 2: GET: a number expected, found "x"`, p().Op("gx\n").Stop()},
		{"persistent text", `pickle: byte 8: BINPERSID: persistent id: ("storage", class, key, location, elements) expected, found another object`, p().Text("0").Op("Q").Stop()},
		{"persistent short", `BINPERSID: persistent id: ("storage", class, key, location, elements) expected, found another object`, p().Op("(").Text("storage").Op("tQ").Stop()},
		{"persistent module", `BINPERSID: persistent id: ("storage", class, key, location, elements) expected, found another object`, p().Op("(").Text("module").Op("NNNNtQ").Stop()},
		{"persistent tuple first", `BINPERSID: persistent id: ("storage", class, key, location, elements) expected, found another object`, p().Op("()NNNNtQ").Stop()},
		{"persistent class", `persistent id: class: a torch storage expected, found None`, p().Op("(").Text("storage").Op("NNNNtQ").Stop()},
		{"persistent key", `persistent id: key: a text expected, found a whole number`, p().Op("(").Text("storage").Global("torch", "FloatStorage").Int(0).Op("NNtQ").Stop()},
		{"persistent elements", `persistent id: elements: a whole number from 0 expected, found -1`, p().Op("(").Text("storage").Global("torch", "FloatStorage").Text("0").Op("N").Int(-1).Op("tQ").Stop()},
		{"persistent view", `persistent id: a whole storage expected, found a view of one, as PyTorch wrote before version 0.4`, p().Op("(").Text("storage").Global("torch", "FloatStorage").Text("0").Op("N").Int(2).Op(")tQ").Stop()},
		{"two types", `storage "0": 2 elements of F32 expected as before, found 2 of I32`, p().Storage(s).Storage(weightstest.Storage{Key: "0", Class: "IntStorage", Elements: 2}).Stop()},
		{"tensor of nothing", `_rebuild_tensor_v2: 4 to 7 arguments expected, found 0`, rebuild().Op("tR").Stop()},
		{"tensor of no storage", `_rebuild_tensor_v2: a storage expected, found None`, rebuild().Op("NK\x00))tR").Stop()},
		{"no offset", `_rebuild_tensor_v2: storage_offset: a whole number from 0 expected, found None`, rebuild().Storage(s).Op("N))tR").Stop()},
		{"size a list", `_rebuild_tensor_v2: size: a tuple expected, found a list`, rebuild().Storage(s).Op("K\x00])tR").Stop()},
		{"negated", `_rebuild_tensor_v2: plain values expected, found a negated or conjugated view`, rebuild().Storage(s).Op("K\x00))\x89N}").Text("neg").Op("\x88stR").Stop()},
		{"parameter of nothing", `_rebuild_parameter: a tensor expected, found a dict`, p().Global("torch._utils", "_rebuild_parameter").Op("}\x88}\x87R").Stop()},
		{"parameter of one", `_rebuild_parameter: 3 to 4 arguments expected, found 1`, p().Global("torch._utils", "_rebuild_parameter").Op("}\x85R").Stop()},
		{"pairs", `OrderedDict: pairs of key and value expected, found others`, p().Global("collections", "OrderedDict").Op("](Ne\x85R").Stop()},
		{"no pairs", `OrderedDict: no argument or a list of pairs expected, found others`, p().Global("collections", "OrderedDict").Op("N\x85R").Stop()},
		{"length far beyond", `pickle: truncated: 9223372036854775807 bytes expected at byte 11, found 1`, p().Op("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f").Stop()},
		{"length beyond any file", `pickle: truncated: 18446744073709551615 bytes expected at byte 11, found 1`, p().Op("\x8d\xff\xff\xff\xff\xff\xff\xff\xff").Stop()},
		{"frame beyond", `pickle: truncated: 9223372036854775807 bytes expected at byte 11, found 1`, p().Op("\x95\xff\xff\xff\xff\xff\xff\xff\x7f").Stop()},
		{"long beyond", `pickle: truncated: 4294967295 bytes expected at byte 7, found 1`, p().Op("\x8b\xff\xff\xff\xff").Stop()},
		{"line without end", `pickle: truncated: a line expected at byte 3, found no end of it`, p().Op("cos").Stop()},
		{"number of letters", `pickle: byte 2: INT: a whole number expected, found "x"`, p().Op("Ix\n").Stop()},
		{"float of letters", `pickle: byte 2: FLOAT: a number expected, found "x"`, p().Op("Fx\n").Stop()},
		{"stack global", `pickle: byte 4: STACK_GLOBAL: two texts expected, found None and None`, p().Op("NN\x93").Stop()},
		{"quotes", `pickle: byte 2: STRING: a quoted text without escapes expected, found "'"`, p().Op("S'\n").Stop()},
		{"name twice", `tensor "x": different names expected, found it twice`, p().Op("}(").Text("x").Tensor(s, weightstest.View{}).Text("x").Tensor(s, weightstest.View{}).Op("u").Stop()},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := decodePickle(t, c.pickle)
			require.Error(t, err)
			require.True(t, strings.HasPrefix(err.Error(), "m: "), err.Error())
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

// Small pickles that make other readers overflow their stack, run for ever or
// fill the memory end here after a bounded number of steps.
func TestBombs(t *testing.T) {
	p := weightstest.NewPickle
	deep := p().Op(strings.Repeat("](", 200_000)).Op(strings.Repeat("e", 200_000)).Stop()
	require.EqualError(t, decodePickle(t, deep), "m: a dict of tensors expected, found a list")
	tuples := p().Op("N" + strings.Repeat("\x85", 1_000_000)).Stop()
	require.EqualError(t, decodePickle(t, tuples), "m: a dict of tensors expected, found a tuple")
	self := p().Op("]q\x00h\x00a0}q\x01h\x01h\x01s").Stop()
	require.EqualError(t, decodePickle(t, self), "m: a dict of tensors expected, found no tensor in it")
	laughs := p().Op("](NNq\x00e" + strings.Repeat("q\x00h\x00h\x00\x86", 100_000)).Stop()
	require.EqualError(t, decodePickle(t, laughs), "m: pickle: byte 700009: STOP: one object expected on the stack, found 100001")
	// Each REDUCE would copy a list of a hundred thousand pairs.
	copies := p().Op("](N\x85e0]q\x01("+strings.Repeat("h\x01", 100_000)+"eq\x02").Global("collections", "OrderedDict").
		Op("q\x03" + strings.Repeat("h\x03h\x02\x85R", 1000)).Stop()
	require.ErrorContains(t, decodePickle(t, copies), "pairs of key and value expected")
	pairs := p().Op("NN\x86q\x010]q\x02("+strings.Repeat("h\x01", 100_000)+"e").Global("collections", "OrderedDict").
		Op("q\x03" + strings.Repeat("h\x03h\x02\x85R", 1000)).Stop()
	require.ErrorContains(t, decodePickle(t, pairs), "at most 4194304 steps expected, found more")
	steps := p().Op(strings.Repeat("N0", 2_100_000) + "}").Stop()
	require.EqualError(t, decodePickle(t, steps), "m: pickle: at most 4194304 steps expected, found more")
}

// A length that a pickle states reserves no memory before the bytes are there.
func TestStatedLengthsReserveNothing(t *testing.T) {
	for _, code := range []string{"\x8e", "\x8d", "\x96", "\x95"} {
		pickle := weightstest.NewPickle().Op(code + "\x00\x00\x00\x00\x10\x00\x00\x00").Stop() // 64 GiB
		var b bytes.Buffer
		require.NoError(t, weightstest.ZipFile(&b, pickle, nil))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := weights.DecodeFile(t.Context(), "m", b.Bytes())
		runtime.ReadMemStats(&after)
		require.EqualError(t, err, "m: pickle: truncated: 68719476736 bytes expected at byte 11, found 1")
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	}
}

// No prefix of a file, of either format, is read or makes the reader panic.
func TestEveryPrefixOfTorch(t *testing.T) {
	for _, c := range containers {
		var b bytes.Buffer
		require.NoError(t, c.write(&b, arrays, weights.F32))
		for n := range b.Len() {
			f, err := weights.DecodeFile(t.Context(), "m", b.Bytes()[:n])
			require.Nil(t, f, "%s: %d bytes", c.name, n)
			require.Error(t, err)
			require.True(t, strings.HasPrefix(err.Error(), "m: "), err.Error())
			require.NotContains(t, err.Error(), "\n")
		}
	}
}

// Every pickle that ends too early is an error, in whole archives too.
func TestEveryPrefixOfAPickle(t *testing.T) {
	s := []weightstest.Storage{storage(t, "0", 1, 2)}
	pickle := weightstest.NewPickle().State(s, []weightstest.View{{Name: "x", Shape: []int{2}, Strides: []int{1}, Parameter: true}}).Stop()
	for n := range pickle {
		var b bytes.Buffer
		require.NoError(t, weightstest.ZipFile(&b, pickle[:n], s))
		_, err := weights.DecodeFile(t.Context(), "m", b.Bytes())
		require.ErrorContains(t, err, "m: pickle: truncated: ", "%d bytes", n)
	}
}

// Any byte may be wrong: an error or other values, never a panic.
func TestEveryByteFlipped(t *testing.T) {
	flips := []byte{0x01, 0x80, 0xff}
	if testing.Short() {
		flips = flips[:1]
	}
	for _, c := range containers {
		var b bytes.Buffer
		require.NoError(t, c.write(&b, arrays, weights.F32))
		for i := range b.Len() {
			for _, flip := range flips {
				file := bytes.Clone(b.Bytes())
				file[i] ^= flip
				readEverything(t, file)
			}
		}
	}
}

// readEverything reads all tensors of a file if it opens, and checks errors.
func readEverything(t testing.TB, file []byte) {
	f, err := weights.DecodeFile(t.Context(), "m", file)
	if err != nil {
		if !strings.HasPrefix(err.Error(), "m: ") || strings.ContainsAny(err.Error(), "\n\r") {
			t.Fatalf("error text %q", err)
		}
		return
	}
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		if values, shape, err := f.Float32(t.Context(), name); err == nil {
			n := 1
			for _, d := range shape {
				n *= d
			}
			if len(values) != n || int64(n*e.DType.Bits()/8) != e.Size {
				t.Fatalf("%d values for shape %d, size %d", len(values), shape, e.Size)
			}
		}
		_, _, _ = f.Ints(t.Context(), name)
		_, _, _ = f.Bools(t.Context(), name)
	}
}
