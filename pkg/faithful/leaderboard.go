package faithful

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// column is one of the leaderboard's.
type column struct {
	title  string
	task   string
	models []string // the ends of their names, in small letters
}

// What the leaderboard calls models, by the last parts of their names.
var (
	gpt2  = []string{"gpt2", "gpt2-small"}
	qwen  = []string{"qwen2.5-0.5b"}
	gemma = []string{"gemma-2-2b"}
	llama = []string{"llama-3.1-8b", "meta-llama-3.1-8b"}
)

// leaderboard are the columns of MIB's circuit localisation track, in their order.
var leaderboard = []column{
	{"IOI (GPT)", "ioi", gpt2}, {"IOI (QWen)", "ioi", qwen}, {"IOI (Gemma)", "ioi", gemma}, {"IOI (Llama)", "ioi", llama},
	{"MCQA (QWen)", "mcqa", qwen}, {"MCQA (Gemma)", "mcqa", gemma}, {"MCQA (Llama)", "mcqa", llama},
	{"Arithmetic + (Llama)", "arithmetic-addition", llama}, {"Arithmetic - (Llama)", "arithmetic-subtraction", llama},
	{"ARC-E (Gemma)", "arc-easy", gemma}, {"ARC-E (Llama)", "arc-easy", llama}, {"ARC-C (Llama)", "arc-challenge", llama},
}

// Leaderboard lists the columns of MIB's leaderboard of circuits, a task and a
// model each, in its order.
func Leaderboard() []string {
	var out []string
	for _, c := range leaderboard {
		out = append(out, c.title)
	}
	return out
}

// columnOf is the title of the leaderboard's column of a task and a model, or, of
// those that it has none for, one in its form.
func columnOf(task, model string) string {
	name := model[strings.LastIndexByte(model, '/')+1:]
	small, _, _ := strings.Cut(strings.ToLower(name), "@")
	for _, c := range leaderboard {
		if c.task == task && slices.Contains(c.models, small) {
			return c.title
		}
	}
	if task == "" {
		return name
	}
	return fmt.Sprintf("%s (%s)", task, name)
}

// Row is one row of MIB's leaderboard of circuits: CPR of the circuits that are
// chosen by signed scores, CMD of those that are chosen by the scores' size, as
// they are published. All cells but one are empty.
type Row struct {
	Method  string  `json:"method"`
	Column  string  `json:"column"`
	Split   string  `json:"split,omitempty"` // of the data, where it has halves
	CPR     float64 `json:"cpr"`             // signed
	CMD     float64 `json:"cmd"`             // absolute
	Circuit Circuit `json:"curves"`
}

// Row is the row of the leaderboard of a circuit of which there are both curves. The
// method is the algorithm that scored, or the circuit's name.
func (c *Circuit) Row() (*Row, error) {
	out := &Row{Method: c.Found.Algorithm, Column: columnOf(c.Run.Task, c.Run.Model), Split: c.Run.Half, Circuit: *c}
	if out.Method == "" {
		out.Method = c.Name
	}
	signed, absolute := false, false
	for _, a := range c.Curves {
		if a.Absolute {
			absolute, out.CMD = true, a.CMD
		} else {
			signed, out.CPR = true, a.CPR
		}
	}
	if !signed || !absolute {
		return nil, fmt.Errorf("a row of the leaderboard: expected a curve by signed and one by absolute scores, found %d curves", len(c.Curves))
	}
	return out, nil
}

// Cells are the titles of the leaderboard's columns behind the method's, and which
// of them the row is in: its own is the last one where MIB has none.
func (r *Row) Cells() (titles []string, own int) {
	titles = Leaderboard()
	if own = slices.Index(titles, r.Column); own < 0 {
		own, titles = len(titles), append(titles, r.Column)
	}
	return titles, own
}

// WriteCSV writes the row as CSV with a head: the method, the split, and CPR and CMD
// of each column, empty but for one.
func (r *Row) WriteCSV(w io.Writer) error {
	if w == nil {
		panic("faithful: WriteCSV: no writer")
	}
	head, row := []string{"method", "split"}, []string{r.Method, r.Split}
	titles, own := r.Cells()
	for i, title := range titles {
		head = append(head, title+" CPR", title+" CMD")
		cpr, cmd := "", ""
		if i == own {
			cpr, cmd = number(r.CPR), number(r.CMD)
		}
		row = append(row, cpr, cmd)
	}
	return csv.NewWriter(w).WriteAll([][]string{head, row})
}

// Encode writes the row, its curves and what decides them as indented JSON.
func (r *Row) Encode(w io.Writer) error {
	if w == nil {
		panic("faithful: Encode: no writer")
	}
	if err := r.Circuit.check(); err != nil {
		return fmt.Errorf("a row of the leaderboard: field \"curves\": %w", err)
	}
	text, err := jsonfile.Encode(r, " ")
	if err != nil {
		return fmt.Errorf("a row of the leaderboard: %w", err)
	}
	_, err = w.Write(text)
	return err
}
