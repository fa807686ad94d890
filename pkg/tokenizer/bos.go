package tokenizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// usualBOS lists the first tokens of the known families, for files that say
// nothing.
var usualBOS = []string{"<|endoftext|>", "<|begin_of_text|>", "<s>"}

// readTemplate takes BOS from what a post-processor puts in front of a text.
// Without one it is the usual token of the family, if the vocabulary has it.
func (t *Tokenizer) readTemplate(ctx context.Context, raw json.RawMessage) error {
	first, err := firstOfTemplate(ctx, raw, 0)
	if err != nil {
		return err
	}
	if first != "" {
		id, ok := t.ids[first]
		if !ok {
			return fmt.Errorf("token %s is not in the vocabulary", oneline.Quote(first))
		}
		t.bos = id
		return nil
	}
	t.usual()
	return nil
}

// usual sets BOS to the usual one.
func (t *Tokenizer) usual() {
	for _, name := range usualBOS {
		if id, ok := t.ids[name]; ok {
			t.bos = id
			return
		}
	}
}

// firstOfTemplate returns the token before a single text, "" if there is none.
func firstOfTemplate(ctx context.Context, raw json.RawMessage, depth int) (first string, err error) {
	if null(raw) {
		return "", nil
	}
	kind, err := kindOf(ctx, raw)
	if err != nil {
		return "", err
	}
	switch kind {
	case "TemplateProcessing":
		return firstOfSingle(ctx, raw)
	case "Sequence":
		if depth > maxDepth {
			return "", fmt.Errorf("expected sequences nested at most %d deep", maxDepth)
		}
		err = members(ctx, raw, "processors", func(_ int, raw json.RawMessage) error {
			token, err := firstOfTemplate(ctx, raw, depth+1)
			if token != "" {
				first = token
			}
			return err
		})
	}
	return first, err
}

func firstOfSingle(ctx context.Context, raw json.RawMessage) (string, error) {
	var v struct {
		Single json.RawMessage `json:"single"`
	}
	if err := unmarshal(ctx, raw, &v); err != nil {
		return "", err
	}
	if null(v.Single) {
		return "", nil
	}
	token := ""
	errStop := errors.New("only the first entry matters")
	err := stream(ctx, v.Single, '[', func(d *json.Decoder, _ int) error {
		var entry struct {
			SpecialToken *struct {
				ID string `json:"id"`
			}
		}
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return notJSON(err)
		}
		if err := unmarshal(ctx, one, &entry); err != nil {
			return err
		}
		if entry.SpecialToken != nil {
			token = entry.SpecialToken.ID
		}
		return errStop
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return token, field("single", err)
}
