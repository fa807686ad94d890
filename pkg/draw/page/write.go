package page

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Write writes the page. What foreign texts say appears as text, shortened
// where it is longer than anybody reads. A number that is NaN or infinite is an
// error.
func Write(ctx context.Context, w io.Writer, d *Data) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	text, err := json.Marshal(d.bounded())
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	style := file("page.css")
	out := strings.NewReplacer(
		"{{policy}}", html.EscapeString(policy(script(), style, d.Live != nil)),
		"{{title}}", html.EscapeString(oneline.Shown(d.Title)),
		"{{style}}", style,
		"{{data}}", string(oneline.JSON(text)),
		"{{script}}", script(),
	)
	_, err = out.WriteString(w, file("page.html"))
	return err
}

// policy allows one script and one style, by their hashes, and no connection but
// to where a live page comes from.
func policy(script, style string, live bool) string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	connect := "'none'"
	if live {
		connect = "'self'"
	}
	return "default-src 'none'; script-src " + hash(script) + "; style-src " + hash(style) + "; connect-src " + connect + "; base-uri 'none'; form-action 'none'"
}

// Policy is the Content-Security-Policy of a page that has an engine behind it,
// for the header of the server that sends it.
func Policy() string { return policy(script(), file("page.css"), true) }

// The most runes that are written of a text.
const (
	mostLine    = 400
	mostToken   = 80
	mostSetting = 20_000
)

// bounded is the data with texts that are not too long. Nothing of d changes.
func (d *Data) bounded() *Data {
	out := *d
	out.Title = oneline.Middle(d.Title, mostLine)
	out.Lines = each(d.Lines, func(s string) string { return oneline.Middle(s, mostLine) })
	out.Lacks = each(d.Lacks, func(s string) string { return oneline.Middle(s, mostLine) })
	out.Parts = each(d.Parts, func(s string) string { return oneline.Middle(s, mostToken) })
	out.Groups = each(d.Groups, func(g Group) Group { return Group{oneline.Middle(g.Name, mostToken), g.Color} })
	out.Settings = each(d.Settings, func(s Setting) Setting {
		return Setting{oneline.Middle(s.Name, mostToken), oneline.Middle(s.Value, mostSetting)}
	})
	out.Tables = each(d.Tables, func(t Table) Table {
		return Table{oneline.Middle(t.Title, mostLine), each(t.Rows, func(row []string) []string {
			return each(row, func(s string) string { return oneline.Middle(s, mostLine) })
		})}
	})
	out.Circuits = each(d.Circuits, func(c Circuit) Circuit {
		c.Label, c.Group = oneline.Middle(c.Label, mostLine), oneline.Middle(c.Group, mostLine)
		return c
	})
	if d.Runs != nil {
		runs := *d.Runs
		runs.Prompts = each(d.Runs.Prompts, Prompt.bounded)
		out.Runs = &runs
	}
	return &out
}

// bounded is a prompt whose tokens are not too long.
func (p Prompt) bounded() Prompt {
	token := func(t Token) Token { return Token{t.ID, oneline.Middle(t.Text, mostToken)} }
	p.Clean, p.Corrupt, p.Right, p.Wrong = each(p.Clean, token), each(p.Corrupt, token), each(p.Right, token), each(p.Wrong, token)
	for i, list := range p.Predictions {
		p.Predictions[i] = each(list, func(x Prediction) Prediction {
			x.Token = token(x.Token)
			return x
		})
	}
	return p
}

// each is a list of what becomes of each element; nil stays nil.
func each[A, B any](list []A, f func(A) B) []B {
	if list == nil {
		return nil
	}
	out := slices.Grow([]B{}, len(list))
	for _, x := range list {
		out = append(out, f(x))
	}
	return out
}
