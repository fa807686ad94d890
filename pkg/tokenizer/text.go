package tokenizer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// field puts the name of a field in front of an error.
func field(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("field %q: %w", name, err)
}

// unmarshal reads a part of a text that clean has returned.
func unmarshal(ctx context.Context, data []byte, into any) error {
	return jsonfile.Unmarshal(ctx, data, into)
}

// clean checks a whole file, and returns it as plain JSON.
func clean(ctx context.Context, data []byte, most int) ([]byte, error) {
	if len(data) > most {
		return nil, fmt.Errorf("expected at most %d bytes, found %d", most, len(data))
	}
	return jsonfile.Clean(ctx, data, jsonfile.Options{})
}

// null tells whether a field is missing or null.
func null(raw json.RawMessage) bool {
	return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null"
}

// stream reads the entries of an array or object in a part of a text that clean
// has returned one at a time, so that memory does not grow with what is refused.
func stream(ctx context.Context, data []byte, open json.Delim, entry func(d *json.Decoder, i int) error) error {
	d := json.NewDecoder(jsonfile.NewReader(ctx, data))
	d.UseNumber()
	t, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	if t != open {
		return fmt.Errorf("expected %s, found %s", oneline.Token(open), oneline.Token(t))
	}
	for i := 0; d.More(); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := entry(d, i); err != nil {
			return err
		}
	}
	return nil
}

func notJSON(err error) error { return fmt.Errorf("not JSON: %w", err) }
