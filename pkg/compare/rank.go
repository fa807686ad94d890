package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Spearman is the rank correlation of two lists of the same length, from −1 to 1:
// the correlation of their ranks, equal values having the mean of theirs. It is
// NaN where one list has but one value, or a value is no number. It panics if the
// lengths differ.
func Spearman(x, y []float64) float64 {
	checkPairs("Spearman", x, y)
	if hasNaN(x) || hasNaN(y) {
		return math.NaN()
	}
	a, b := ranks(x), ranks(y)
	mean := float64(len(x)+1) / 2
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - mean) * (b[i] - mean)
		aa += (a[i] - mean) * (a[i] - mean)
		bb += (b[i] - mean) * (b[i] - mean)
	}
	return ab / math.Sqrt(aa*bb)
}

// Kendall is the rank correlation τ_b of two lists of the same length, from −1
// to 1:
//
//	(C − D) / √((P − T_x)·(P − T_y))
//
// of P pairs of places, of which C are in the same order in both lists, D in
// opposite ones, and T_x and T_y have equal values in x and in y. It is NaN where
// one list has but one value, or a value is no number. It takes n·log n steps
// (Knight 1966). It panics if the lengths differ.
func Kendall(x, y []float64) float64 {
	checkPairs("Kendall", x, y)
	if hasNaN(x) || hasNaN(y) {
		return math.NaN()
	}
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])) })
	inOrder := make([]float64, len(y))
	for k, i := range order {
		inOrder[k] = y[i]
	}
	all := pairs(len(x))
	tiedX := tied(order, func(i, j int) bool { return x[i] == x[j] })
	tiedBoth := tied(order, func(i, j int) bool { return x[i] == x[j] && y[i] == y[j] })
	discordant := inversions(inOrder, make([]float64, len(y)))
	places := make([]int, len(y)) // inOrder is sorted now
	for i := range places {
		places[i] = i
	}
	tiedY := tied(places, func(i, j int) bool { return inOrder[i] == inOrder[j] })
	difference := all - tiedX - tiedY + tiedBoth - 2*discordant
	return difference / math.Sqrt((all-tiedX)*(all-tiedY))
}

// pairs is how many pairs there are of n.
func pairs(n int) float64 { return float64(n) * float64(n-1) / 2 }

// tied counts the pairs within runs of neighbours that are the same.
func tied(order []int, same func(i, j int) bool) float64 {
	sum, run := 0.0, 1
	for k := 1; k <= len(order); k++ {
		if k < len(order) && same(order[k-1], order[k]) {
			run++
			continue
		}
		sum, run = sum+pairs(run), 1
	}
	return sum
}

// inversions sorts a list by merging, and counts the pairs that stood in the
// wrong order.
func inversions(list, room []float64) float64 {
	if len(list) < 2 {
		return 0
	}
	half := len(list) / 2
	count := inversions(list[:half], room[:half]) + inversions(list[half:], room[half:])
	i, j := 0, half
	for k := range room {
		if j == len(list) || i < half && list[i] <= list[j] {
			room[k] = list[i]
			i++
			continue
		}
		room[k] = list[j]
		j++
		count += float64(half - i)
	}
	copy(list, room)
	return count
}

// ranks are the places of values in their order, from 1, the mean place for equal
// ones.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	out := make([]float64, len(x))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && x[order[hi]] == x[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			out[i] = float64(lo+1+hi) / 2
		}
		lo = hi
	}
	return out
}

func hasNaN(x []float64) bool { return slices.ContainsFunc(x, math.IsNaN) }

func checkPairs(what string, x, y []float64) {
	if len(x) != len(y) {
		panic(fmt.Sprintf("compare: %s of %d and %d values", what, len(x), len(y)))
	}
}
