package oneline

import (
	"strconv"
	"strings"
)

// Ranges writes ascending numbers, neighbours together, with something between:
// 2, 4-6.
func Ranges(list []int, between string) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(list[i])
		if j > i {
			part += "-" + strconv.Itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, between)
}
