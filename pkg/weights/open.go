package weights

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/fileerror"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// The names of Hugging Face's files: everything in one, or the list of shards.
const (
	safetensorsName  = "model.safetensors"
	safetensorsIndex = "model.safetensors.index.json"
	torchName        = "pytorch_model.bin"
	torchIndex       = "pytorch_model.bin.index.json"
)

var (
	standard = []string{safetensorsName, safetensorsIndex, torchName, torchIndex}
	endings  = []string{".pth", ".pt", ".safetensors"}
)

// isCheckpoint reports whether a name is one that OpenFolder looks for.
func isCheckpoint(name string) bool {
	return slices.Contains(standard, name) || slices.Contains(endings, filepath.Ext(name))
}

// OpenFolder opens the checkpoint in a folder: model.safetensors,
// model.safetensors.index.json, pytorch_model.bin or
// pytorch_model.bin.index.json, the first of them that is there, else the only
// file that ends in .pth, .pt or .safetensors, or of several the one that ends in
// final.pth. Links that lead nowhere are passed over. The error of a folder with
// none wraps [fs.ErrNotExist].
func OpenFolder(ctx context.Context, dir string) (Checkpoint, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fileerror.At(dir, err)
	}
	there := map[string]bool{}
	var others []string
	broken := ""
	for _, e := range list {
		if text := fileerror.Broken(filepath.Join(dir, e.Name())); text != "" { // as in a cache whose file was deleted
			if broken == "" && isCheckpoint(e.Name()) {
				broken = fmt.Sprintf("%s: %s", filepath.Join(dir, e.Name()), text)
			}
			continue
		}
		there[e.Name()] = true
		if slices.Contains(endings, filepath.Ext(e.Name())) {
			others = append(others, e.Name())
		}
	}
	for _, name := range standard {
		if there[name] {
			return OpenAny(ctx, filepath.Join(dir, name))
		}
	}
	if final := ending(others, "final.pth"); len(others) > 1 && len(final) == 1 {
		others = final // beside checkpoints from during training
	}
	switch {
	case len(others) == 0 && broken != "":
		return nil, errors.New(broken)
	case len(others) == 0:
		return nil, fmt.Errorf("%s: a checkpoint expected (%s, %s, %s, %s, or one *.pth, *.pt or *.safetensors), found none: %w",
			dir, safetensorsName, safetensorsIndex, torchName, torchIndex, fs.ErrNotExist)
	case len(others) == 1:
		return OpenAny(ctx, filepath.Join(dir, others[0]))
	}
	return nil, fmt.Errorf("%s: one checkpoint expected, found several: %s", dir, listed(others))
}

// ending keeps the names that end so.
func ending(names []string, with string) []string {
	var out []string
	for _, name := range names {
		if strings.HasSuffix(name, with) {
			out = append(out, name)
		}
	}
	return out
}

// listed names files, of many the first ones.
func listed(names []string) string {
	const most = 8
	quoted := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, oneline.Quote(name))
	}
	text := strings.Join(quoted, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// errIndex says that a file is an index of shards.
var errIndex = errors.New("tensors expected, found JSON text, perhaps an index of shards")

// OpenAny opens a checkpoint of any container: what [OpenFile] opens, or an
// index of shards with the files beside it. The content decides, not the name.
func OpenAny(ctx context.Context, path string) (Checkpoint, error) {
	f, err := OpenFile(ctx, path)
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, errIndex) {
		return nil, err
	}
	index, err := jsonfile.ReadRegular(ctx, path, "an index of shards", maxIndex)
	if err != nil {
		return nil, err
	}
	s, err := openSharded(ctx, path, index)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenFile opens one file of any container, found by its content: safetensors,
// PyTorch (.bin, .pt, .pth; zip or older) or npz.
func OpenFile(ctx context.Context, path string) (*File, error) {
	return openWith(ctx, path, DecodeFile)
}

// DecodeFile is [OpenFile] for a file that is already in memory. It keeps data,
// which must not change while the File is in use.
func DecodeFile(ctx context.Context, name string, data []byte) (*File, error) {
	if isSafetensors(data) || strings.HasSuffix(name, ".safetensors") && !isZip(data) {
		return Decode(ctx, name, data)
	}
	f, err := decodeOther(ctx, data)
	if err != nil {
		return nil, failed(ctx, name, err)
	}
	f.name = name
	return f, nil
}

// isSafetensors tells whether a length and a JSON object start the file.
func isSafetensors(file []byte) bool {
	return len(file) > lengthSize && binary.LittleEndian.Uint64(file) <= maxHeader && file[lengthSize] == '{'
}

func isZip(file []byte) bool {
	return bytes.HasPrefix(file, []byte("PK\x03\x04")) || bytes.HasPrefix(file, []byte("PK\x05\x06"))
}

func decodeOther(ctx context.Context, file []byte) (*File, error) {
	switch {
	case isZip(file):
		return decodeZip(ctx, file)
	case isLegacyTorch(file):
		return decodeTorchLegacy(ctx, file)
	case len(file) > 262 && string(file[257:262]) == "ustar":
		return nil, errors.New("a checkpoint expected, found a tar archive, perhaps of PyTorch before version 0.1.10: save it again with a newer one")
	case len(file) > 1 && file[0] == 0x80 && file[1] <= 5:
		return nil, errors.New("a checkpoint expected, found another pickle than PyTorch's: nothing in a pickle is executed")
	}
	kind := foreign(file)
	if text := bytes.TrimLeft(bytes.TrimPrefix(file[:min(len(file), 64)], []byte("\ufeff")), " \t\r\n"); len(text) > 0 && text[0] == '{' {
		return nil, errIndex
	}
	if kind == "" {
		kind = start(file)
	}
	return nil, fmt.Errorf("a checkpoint (safetensors, PyTorch, npz or an index of shards) expected, found %s", kind)
}

// decodeZip tells PyTorch's archives from NumPy's.
func decodeZip(ctx context.Context, file []byte) (*File, error) {
	a, err := openArchive(ctx, file)
	if err != nil {
		return nil, err
	}
	for _, name := range a.names {
		if name == "data.pkl" || strings.HasSuffix(name, "/data.pkl") {
			return decodeTorchZip(ctx, a)
		}
	}
	for _, name := range a.names {
		if strings.HasSuffix(name, ".npy") {
			return decodeNPZ(ctx, a)
		}
	}
	return nil, fmt.Errorf("zip archive: data.pkl of PyTorch or .npy arrays expected, found %d other entries", len(a.names))
}
