package study

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// EnoughMemory refuses prompts of which the clean and the corrupted run alone
// are larger than the machine, rather than let the system end the process.
func EnoughMemory(where string, c transformer.Config, examples, tokens int) error {
	const runs, bytesEach = 2, 4
	need := float64(examples) * float64(tokens) * float64(transformer.ActivationFloats(c, false)) * runs * bytesEach
	return Fits(fmt.Sprintf("%s: %d examples of %d tokens", where, examples, tokens), need, "fewer examples")
}

// Fits refuses what needs more bytes than the machine has; expected says what
// would do.
func Fits(what string, need float64, expected string) error {
	have := totalMemory()
	if have == 0 || need <= have {
		return nil
	}
	return fmt.Errorf("%s need at least %.3g GB of memory, this machine has %.3g GB: expected %s", what, need/1e9, have/1e9, expected)
}

// totalMemory is the machine's memory in bytes, 0 where it is not known.
func totalMemory() float64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "MemTotal:" && string(fields[2]) == "kB" {
			kb, err := strconv.ParseFloat(string(fields[1]), 64)
			if err == nil {
				return kb * 1024
			}
		}
	}
	return 0
}
