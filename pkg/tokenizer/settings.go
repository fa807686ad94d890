package tokenizer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// maxSettings bounds a file of settings, in bytes. Real ones reach 200 kB.
const maxSettings = 4 << 20

// settings are what tokenizer_config.json and special_tokens_map.json say.
type settings struct {
	path           string
	Class          string                     `json:"tokenizer_class"`
	AddPrefixSpace *bool                      `json:"add_prefix_space"`
	SplitSpecial   bool                       `json:"split_special_tokens"` // special tokens in a text are text
	Added          map[string]json.RawMessage `json:"added_tokens_decoder"`
	named          map[string]named           // by field, those of specialFields that are there
	more           []special                  // additional special tokens
}

// named is a special token that settings name, or that they say there is none.
type named struct {
	token special // with nil Content for none
	path  string  // of the file that says so
}

// specialFields are the fields of single special tokens, in the order in which
// new ones are added.
var specialFields = []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// moreFields are those of several, in a list or by names of their own.
var moreFields = []string{"additional_special_tokens", "extra_special_tokens"}

// special is a special token, written as a text or as an object.
type special struct{ addedToken }

// UnmarshalJSON reads both ways to write it.
func (s *special) UnmarshalJSON(data []byte) error {
	*s = special{addedToken{Special: true}}
	if len(data) > 0 && data[0] == '{' {
		err := unmarshal(context.Background(), data, &s.addedToken) // no more than the text of a token
		s.Special = true
		return err
	}
	return json.Unmarshal(data, &s.Content)
}

// readSettings reads a file of settings; one that is not there says nothing.
func readSettings(ctx context.Context, path string) (*settings, error) {
	data, err := readFile(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return &settings{path: path}, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := parseSettings(ctx, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.path = path
	return s, nil
}

func parseSettings(ctx context.Context, data []byte) (*settings, error) {
	data, err := clean(ctx, data, maxSettings)
	if err != nil {
		return nil, err
	}
	if null(data) {
		return nil, errors.New("expected an object, found null")
	}
	s := &settings{}
	if err := unmarshal(ctx, data, s); err != nil {
		return nil, err
	}
	var keys map[string]json.RawMessage
	if err := unmarshal(ctx, data, &keys); err != nil {
		return nil, err
	}
	return s, s.readSpecial(ctx, keys)
}

// readSpecial takes the special tokens from a file's fields.
func (s *settings) readSpecial(ctx context.Context, keys map[string]json.RawMessage) error {
	for _, name := range specialFields {
		if raw, ok := keys[name]; ok {
			var one special
			if err := unmarshal(ctx, raw, &one); err != nil {
				return field(name, err)
			}
			s.name(name, one)
		}
	}
	for _, name := range moreFields {
		raw := bytes.TrimSpace(keys[name])
		var byName map[string]special
		var list []special
		into := any(&list)
		if len(raw) > 0 && raw[0] == '{' {
			into = &byName
		}
		if len(raw) == 0 {
			continue
		}
		if err := unmarshal(ctx, raw, into); err != nil {
			return field(name, err)
		}
		s.more = append(s.more, list...)
		for _, key := range slices.Sorted(maps.Keys(byName)) {
			s.more = append(s.more, byName[key])
		}
	}
	return nil
}

func (s *settings) name(field string, one special) {
	if s.named == nil {
		s.named = map[string]named{}
	}
	s.named[field] = named{token: one}
}

// under puts what special_tokens_map.json says over the settings, as
// transformers does for files from before there was added_tokens_decoder; with
// that it does not read it.
func (s *settings) under(special *settings) {
	for name, one := range s.named {
		one.path = s.path
		s.named[name] = one
	}
	if s.Added != nil {
		return
	}
	for _, name := range specialFields {
		if one, ok := special.named[name]; ok {
			s.name(name, one.token)
			s.named[name] = named{one.token, special.path}
		}
	}
	s.more = append(s.more, special.more...)
}

// readBOS takes BOS from settings, if they say anything: that there is none,
// for one.
func (t *Tokenizer) readBOS(s *settings) error {
	bos, said := s.named["bos_token"]
	if !said {
		return nil
	}
	if bos.token.empty() {
		t.bos = -1
		return nil
	}
	id, ok := t.ids[*bos.token.Content]
	if !ok {
		return fmt.Errorf("%s: field \"bos_token\": %s is not in the vocabulary", bos.path, oneline.Quote(*bos.token.Content))
	}
	t.bos = id
	return nil
}

// special lists the special tokens that settings name, each once.
func (s *settings) special() []addedToken {
	var all []special
	for _, name := range specialFields {
		all = append(all, s.named[name].token)
	}
	var list []addedToken
	seen := map[string]bool{}
	for _, one := range append(all, s.more...) {
		if !one.empty() && !seen[*one.Content] {
			seen[*one.Content] = true
			list = append(list, one.addedToken)
		}
	}
	return list
}

func (s special) empty() bool { return s.Content == nil || *s.Content == "" }
