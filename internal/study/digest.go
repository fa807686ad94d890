package study

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
)

// Digests identify the weights, as they were processed, and the prompts: two
// SHA-256 in hexadecimal. They are taken once.
func (x *Study) Digests(ctx context.Context) (weights, prompts string, err error) {
	if x.weights == "" {
		if x.weights, err = x.Model.Hash(ctx, x.threads); err != nil {
			return "", "", err
		}
	}
	if x.prompts == "" {
		data, err := json.Marshal(x.Data)
		if err != nil {
			return "", "", err
		}
		x.prompts = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return x.weights, x.prompts, nil
}

// Identify writes the digests into a provenance.
func (x *Study) Identify(ctx context.Context, run *circuit.Run) (err error) {
	run.WeightsDigest, run.PromptsDigest, err = x.Digests(ctx)
	return err
}

// changed warns where weights or prompts have the name that they have in a file,
// and are not what they were when it was written. given is what was asked for,
// beside the file.
func (x *Study) changed(ctx context.Context, name string, run circuit.Run, given Spec) error {
	sameModel := (given.Model == "" || given.Model == run.Model) && given.Processing == checkpoint.Switches{} && given.Reset == nil
	if !sameModel || run.WeightsDigest == "" && run.PromptsDigest == "" {
		return nil
	}
	weights, prompts, err := x.Digests(ctx)
	if err != nil {
		return err
	}
	warn := func(what, of, was, is string) {
		x.Changed = append(x.Changed, fmt.Sprintf("%s: the circuit was found with other %s of %s: expected SHA-256 %.12s…, found %.12s…", name, what, of, was, is))
	}
	if run.WeightsDigest != "" && weights != run.WeightsDigest {
		warn("weights", x.Model.Name, run.WeightsDigest, weights)
	}
	sameData := given.Task == "" && given.Data == "" && given.Examples == 0 && given.Half == "" && given.Variant == "" && given.BOS == nil && given.Seed == nil
	if sameData && run.PromptsDigest != "" && prompts != run.PromptsDigest {
		warn("prompts", x.Where(), run.PromptsDigest, prompts)
	}
	return nil
}
