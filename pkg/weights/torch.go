package weights

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// legacyMagic is the number 0x1950a86a20f9469cfc6c, the first object of files
// that torch.save wrote before version 1.6, in its two spellings.
const (
	legacyMagic       = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
	legacyMagicDigits = "119547037146038801333356"
	legacyProtocol    = 1001
)

// decodeTorchZip reads what torch.save writes: a zip archive of a pickle,
// …/data.pkl, and of the storages it refers to, …/data/0, …/data/1, ….
func decodeTorchZip(ctx context.Context, a *archive) (*File, error) {
	prefix, err := a.torchPrefix(ctx)
	if err != nil {
		return nil, err
	}
	text, err := a.text(ctx, prefix+"data.pkl")
	if err != nil {
		return nil, err
	}
	m := newMachine(ctx, text)
	root, err := m.load()
	if err != nil {
		return nil, err
	}
	if m.pos < len(text) {
		return nil, fmt.Errorf("pickle: the end expected after its STOP, found more at byte %d", m.pos)
	}
	for _, s := range m.order {
		name := prefix + "data/" + s.key
		where, ok := a.members[name]
		if !ok {
			return nil, fmt.Errorf("storage %s: zip entry %s is missing", oneline.Quote(s.key), oneline.Quote(name))
		}
		if err := s.place(where); err != nil {
			return nil, err
		}
	}
	return stateDict(ctx, root, a.file)
}

// torchPrefix finds the folder of the pickle, and refuses archives that are
// something else.
func (a *archive) torchPrefix(ctx context.Context) (string, error) {
	var prefixes []string
	for _, name := range a.names {
		if prefix, ok := strings.CutSuffix(name, "data.pkl"); ok && (prefix == "" || strings.HasSuffix(prefix, "/")) {
			prefixes = append(prefixes, prefix)
		}
	}
	if len(prefixes) != 1 {
		return "", fmt.Errorf("zip archive: one data.pkl expected, found %d", len(prefixes))
	}
	prefix := prefixes[0]
	if _, ok := a.members[prefix+"constants.pkl"]; ok {
		return "", errors.New("tensors of torch.save expected, found a TorchScript program")
	}
	if _, ok := a.members[prefix+"byteorder"]; ok {
		order, err := a.text(ctx, prefix+"byteorder")
		if err != nil {
			return "", err
		}
		if string(order) != "little" {
			return "", fmt.Errorf("byteorder: little expected, found %s", start(order))
		}
	}
	return prefix, nil
}

// place compares a storage with the bytes found for it.
func (s *storage) place(where member) error {
	width := int64(s.class.dtype.width())
	if where.full%width != 0 || where.full/width != s.elements {
		return fmt.Errorf("storage %s: %d elements of %s expected, found %d bytes", oneline.Quote(s.key), s.elements, s.class.dtype, where.full)
	}
	s.where = where
	return nil
}

// isLegacyTorch tells whether a file starts with the magic number, which may
// follow the header of a protocol.
func isLegacyTorch(file []byte) bool {
	head := file[:min(len(file), 40)]
	return bytes.Contains(head, []byte(legacyMagic)) || bytes.HasPrefix(head, []byte("L"+legacyMagicDigits))
}

// decodeTorchLegacy reads five pickles, magic number, protocol, system, object
// and the order of the storages, and the storages, each a number of elements
// and their bytes.
func decodeTorchLegacy(ctx context.Context, file []byte) (*File, error) {
	m := newMachine(ctx, file)
	if err := m.legacyHead(); err != nil {
		return nil, err
	}
	root, err := m.load()
	if err != nil {
		return nil, err
	}
	keys, err := m.load()
	if err != nil {
		return nil, err
	}
	if err := m.legacyStorages(keys); err != nil {
		return nil, err
	}
	return stateDict(ctx, root, file)
}

func (m *machine) legacyHead() error {
	magic, err := m.load()
	if err != nil {
		return err
	}
	if magic != bigInt(legacyMagic) && magic != bigInt(legacyMagicDigits) {
		return fmt.Errorf("magic number of PyTorch expected, found %s", shown(magic))
	}
	protocol, err := m.load()
	if err != nil {
		return err
	}
	if protocol != int64(legacyProtocol) {
		return fmt.Errorf("protocol %d of PyTorch expected, found %s", legacyProtocol, shown(protocol))
	}
	system, err := m.load()
	if err != nil {
		return err
	}
	d, ok := system.(*dict)
	if !ok {
		return fmt.Errorf("system: a dict expected, found %s", kindOf(system))
	}
	if d.get("little_endian") == false {
		return errors.New("system: little_endian: True expected, found False")
	}
	return nil
}

// legacyStorages finds the storages behind the pickles.
func (m *machine) legacyStorages(keys any) error {
	order, ok := keys.(*list)
	if !ok {
		return fmt.Errorf("storage keys: a list expected, found %s", kindOf(keys))
	}
	if len(order.items) != len(m.order) {
		return fmt.Errorf("storage keys: %d expected, found %d", len(m.order), len(order.items))
	}
	seen := map[string]bool{}
	for _, item := range order.items {
		key, _ := item.(string)
		s, ok := m.storages[key]
		if !ok || seen[key] {
			return fmt.Errorf("storage keys: each key of the tensors once expected, found %s", oneline.Quote(key))
		}
		seen[key] = true
		if err := m.legacyStorage(s); err != nil {
			return err
		}
	}
	if m.pos < len(m.data) {
		return fmt.Errorf("the end expected after the last storage, found more at byte %d", m.pos)
	}
	return nil
}

func (m *machine) legacyStorage(s *storage) error {
	rest := m.data[m.pos:]
	if len(rest) < 8 {
		return fmt.Errorf("truncated: storage %s: its length needs 8 bytes, file has %d", oneline.Quote(s.key), len(rest))
	}
	if n := binary.LittleEndian.Uint64(rest); n != uint64(s.elements) {
		return fmt.Errorf("storage %s: %d elements expected, found %d", oneline.Quote(s.key), s.elements, n)
	}
	rest = rest[8:]
	width := int64(s.class.dtype.width())
	if s.elements > int64(len(rest))/width {
		return fmt.Errorf("truncated: storage %s: %d elements of %s expected, file has %d bytes", oneline.Quote(s.key), s.elements, s.class.dtype, len(rest))
	}
	size := s.elements * width
	s.where = member{start: int64(m.pos) + 8, size: size, full: size}
	m.pos += 8 + int(size)
	return nil
}

// stateDict makes a File of the tensors of a pickled object: those of a dict
// itself, or of the one dict in it that holds tensors, as in {"model": {…},
// "step": 3}. A dict inside wins over tensors beside it, such as a best loss.
func stateDict(ctx context.Context, root any, file []byte) (*File, error) {
	d, err := findTensors(root)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	places := map[string]place{}
	seen := map[string]bool{}
	for _, e := range d.entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t, ok := e.value.(*pickledTensor)
		if !ok {
			continue
		}
		if seen[e.key] {
			return nil, fmt.Errorf("tensor %s: different names expected, found it twice", oneline.Quote(e.key))
		}
		seen[e.key] = true
		entry, p, err := t.resolve(e.key)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", oneline.Quote(e.key), err)
		}
		if p != nil {
			places[e.key] = *p
		}
		entries = append(entries, entry)
	}
	if len(entries) > maxKeys {
		return nil, fmt.Errorf("at most %d tensors expected, found %d", maxKeys, len(entries))
	}
	f := newFile(entries, file)
	f.places, f.metadata = places, facts(d)
	return f, nil
}

// maxFacts bounds how many facts a file's dicts may tell.
const maxFacts = 1000

// facts are the numbers and texts in the dicts beside a dict's tensors, nil for
// none.
func facts(d *dict) map[string]string {
	out := map[string]string{}
	for _, e := range d.entries {
		inner, ok := e.value.(*dict)
		if !ok {
			continue
		}
		for _, fact := range inner.entries {
			switch fact.value.(type) {
			case int64, float64, bool, string:
				out[e.key+"."+fact.key] = fmt.Sprint(fact.value)
			}
			if len(out) == maxFacts {
				return out
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func findTensors(root any) (*dict, error) {
	d, ok := root.(*dict)
	if !ok {
		return nil, fmt.Errorf("a dict of tensors expected, found %s", kindOf(root))
	}
	var found []*dict
	var keys []string
	for _, e := range d.entries {
		if inner, ok := e.value.(*dict); ok && inner.tensors > 0 {
			found = append(found, inner)
			if keys = append(keys, oneline.Quote(e.key)); len(keys) > 8 {
				break
			}
		}
	}
	switch {
	case len(found) > 1:
		return nil, fmt.Errorf("one dict of tensors expected, found several: %s", strings.Join(keys, ", "))
	case len(found) == 1:
		return found[0], nil
	case d.tensors == 0:
		return nil, errors.New("a dict of tensors expected, found no tensor in it")
	}
	return d, nil
}

// resolve compares a tensor with its storage. The place is nil for a run of
// the file's bytes.
func (t *pickledTensor) resolve(name string) (Entry, *place, error) {
	e := Entry{Name: name, DType: t.dtype, Shape: t.shape}
	var err error
	if e.Size, err = byteSize(t.dtype, t.shape); err != nil {
		return e, nil, err
	}
	need, err := reach(t.offset, t.shape, t.strides)
	if err != nil {
		return e, nil, err
	}
	where, width := t.storage.where, int64(t.dtype.width())
	if need > where.full/width {
		return e, nil, fmt.Errorf("at most %d elements of storage %s expected, found offset %d, size %d, stride %d, which need %d",
			where.full/width, oneline.Quote(t.storage.key), t.offset, t.shape, t.strides, need)
	}
	e.Offset = where.start
	if e.Size == 0 {
		return e, nil, nil
	}
	p := &place{member: where, offset: t.offset * width}
	if !rowMajor(t.shape, t.strides) {
		p.strides = t.strides
		return e, p, nil
	}
	if where.compressed {
		return e, p, nil
	}
	e.Offset += p.offset
	return e, nil, nil
}
