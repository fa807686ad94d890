package task

import (
	"math/rand/v2"
	"slices"
)

// The most that a mixed docstring has of its parts.
const (
	mostBefore, mostTold, mostAfter = 3, 3, 2
	mostSummary, mostDetails        = 4, 3
)

// prepareMixedDocstring draws functions of one to nine parameters after self, of
// which one to three have been told, and of descriptions of one to three words.
// Where the answer stands and how long the prompt is tells nothing of what it
// is.
func prepareMixedDocstring(l lexicon) (func(*rand.Rand) Pair, error) {
	const drawn, described = 1 + mostBefore + mostTold + 1 + mostAfter + mostTold + 1 + mostTold, mostSummary + mostTold*mostDetails
	draw, err := docstringWords(l, drawn, described)
	if err != nil {
		return nil, err
	}
	return func(rng *rand.Rand) Pair {
		w, d := draw(rng)
		take := func(from *[]string, n int) (out []string) {
			out, *from = (*from)[:n:n], (*from)[n:]
			return out
		}
		told := 1 + rng.IntN(mostTold)
		clean := script{name: take(&w, 1)[0], summary: take(&d, 1+rng.IntN(mostSummary)),
			before: take(&w, rng.IntN(mostBefore+1)), asked: take(&w, told+1), after: take(&w, rng.IntN(mostAfter+1))}
		clean.told = clean.asked[:told]
		for range told {
			clean.details = append(clean.details, take(&d, 1+rng.IntN(mostDetails)))
		}
		x := spare{asked: take(&w, told+1), askedTold: take(&w, told)}
		others := slices.Concat(clean.before, clean.told, clean.after, x.asked, x.askedTold)
		return Pair{
			Clean:   clean.prompt(),
			Corrupt: clean.corrupt("random_random", x).prompt(),
			Correct: texts(" ", clean.asked[told]),
			Wrong:   texts(" ", others...),
		}
	}, nil
}
