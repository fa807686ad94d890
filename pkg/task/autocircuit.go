package task

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// decodeAutoCircuit reads the data sets of auto-circuit, prompt by prompt.
func decodeAutoCircuit(ctx context.Context, data []byte) ([]Pair, error) {
	data, err := jsonfile.Clean(ctx, data, jsonfile.Options{})
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := jsonfile.Unmarshal(ctx, data, &fields); err != nil {
		return nil, err
	}
	if list := fields["prompts"]; list[0] != '[' { // there is one, which told the form
		return nil, fmt.Errorf("\"prompts\": expected a list, found %s", jsonfile.Describe(list))
	}
	return decodeList(ctx, fields["prompts"], "prompt", autoCircuitPair)
}

// autoCircuitPair reads one prompt.
func autoCircuitPair(row object) (Pair, error) {
	p := Pair{Called: Called{"answers", "wrong_answers"}}
	var err error
	if p.Clean, err = row.prompt("clean"); err != nil {
		return p, err
	}
	if p.Corrupt, err = row.prompt("corrupt"); err != nil {
		return p, err
	}
	if p.Correct, err = row.answers("answers"); err != nil {
		return p, err
	}
	p.Wrong, err = row.answers("wrong_answers")
	return p, err
}
