package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/attribution"
	"github.com/seed-2c350065/acdc/pkg/discover/ensemble"
)

// verifyEvery is how often --verify evaluates a cut twice.
const verifyEvery = 10

// methodFlags are the flags that say how edges are chosen.
func methodFlags(cmd *cobra.Command, m *study.Method) {
	fs := cmd.Flags()
	choice(cmd, &m.Algorithm, "algorithm", study.Algorithms()[0], "how edges are chosen, ensemble:A+B for several together", study.Algorithms(), study.ParseAlgorithm)
	typed(fs, &m.Threshold, "threshold", "", "NUMBER", "how much the metric must rise for an edge to be kept, or what its score must be, default the task's or 0.1", optional(parseThreshold))
	fs.BoolVar(&m.Absolute, "abs", false, "compare the absolute value of the rise, or of the score")
	typed(fs, &m.Top, "top", "", "N", "choose the N edges of the best scores", parseCount(math.MaxInt32))
	typed(fs, &m.Sparsity, "sparsity", "", "SHARE", "choose by scores all but this share of the edges", optional(parseShare))
	choice(cmd, &m.Rule, "select", "", "how scores choose, default by threshold if one is given and else top", texts(circuit.Rules()), oneOf("rule", circuit.Rules()))
	typed(fs, &m.Share, "share", "", "SHARE", "of the edges that --select ratio chooses by their score, the others by its size, default 0.5", optional(parseShare))
	typed(fs, &m.Bootstrap, "bootstrap", "", "N", "choose only edges whose score keeps its sign in 95 % of N resamplings of the examples", parseCount(maxBootstrap))
	choice(cmd, &m.Norm, "norm", string(ensemble.Rank), "how an ensemble's scores are made comparable", texts(ensemble.Norms()), oneOf("norm", ensemble.Norms()))
	typed(fs, &m.Steps, "steps", "", "N", fmt.Sprintf("EAP-IG's runs between the corrupted and the clean one, default %d, or the steps of masks that are learned", attribution.DefaultSteps), parseCount(maxSteps))
	typed(fs, &m.Rate, "rate", "", "NUMBER", "the learning rate of masks", optional(parseRate))
	typed(fs, &m.Lambda, "lambda", "", "NUMBER", "what an open mask costs, of sp and ugs", optional(parseLambda))
	choice(cmd, &m.Init, "init", "", "whose scores edge pruning begins with", study.Screeners(), study.ParseScreener)
	fs.BoolVar(&m.FixedPattern, "fixed-pattern", false, "RelP takes attention weights as constants as well")
	fs.BoolVar(&m.PreNorm, "prenorm", false, "scores by gradients leave out the norm behind attention, as EAP-IG's own do")
	choice(cmd, &m.Order, "order", string(acdc.Normal), "in which ACDC tests a receiver's senders", texts(acdc.Orders()), acdc.ParseOrder)
	typed(fs, &m.Screen, "screen", "", "ALGORITHM:N", "ACDC tests only the N edges of the largest scores and removes the others first, such as eap-ig:2000", study.ParseScreen)
	fs.BoolFunc("verify", fmt.Sprintf("check every %dth of ACDC's evaluations against a plain full pass", verifyEvery), func(s string) error {
		on, err := strconv.ParseBool(s)
		if m.VerifyEvery = 0; on {
			m.VerifyEvery = verifyEvery
		}
		return err
	})
}

// maxSteps bounds the steps of what learns.
const maxSteps = 1 << 30

// What the penalty and the rate of learning may be: beyond, masks are all open or
// all closed after a step.
const (
	mostRate   = 10
	mostLambda = 1e6
)

// parseRate reads a learning rate.
func parseRate(s string) (float64, error) {
	x, err := parseNumber(s)
	if err != nil || !(x > 0 && x <= mostRate) {
		return 0, fmt.Errorf("expected a number above 0 and at most %d, found %q", mostRate, s)
	}
	return x, nil
}

// parseLambda reads a penalty.
func parseLambda(s string) (float64, error) {
	x, err := parseNumber(s)
	if err != nil || !(x >= 0 && x <= mostLambda) {
		return 0, fmt.Errorf("expected a number from 0 to %.0f, found %q", mostLambda, s)
	}
	return x, nil
}

// parseNumber reads a number as people write it, without Go's underscores and
// hexadecimal digits.
func parseNumber(s string) (float64, error) {
	if strings.ContainsAny(s, "_xX") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}

// maxBootstrap bounds the resamplings.
const maxBootstrap = 1_000_000

// optional makes of a reader one of a value that may be left out.
func optional[T any](parse func(string) (T, error)) func(string) (*T, error) {
	return func(s string) (*T, error) {
		x, err := parse(s)
		return &x, err
	}
}

// parseShare reads a number from 0 to 1.
func parseShare(s string) (float64, error) {
	x, err := parseNumber(s)
	if err != nil || !(x >= 0 && x <= 1) {
		return 0, fmt.Errorf("expected a number from 0 to 1, found %q", s)
	}
	return x, nil
}
