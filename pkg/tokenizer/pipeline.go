package tokenizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// pipeline collects what happens to a text before the model sees it.
type pipeline struct {
	ctx   context.Context
	forms []func(string) string
	split splitter
	bytes bool // a ByteLevel was among the splitters
	steps int

	prefix *bool // says over a ByteLevel that stands alone whether a text gets a space in front
}

func (p *pipeline) count(depth int) error {
	p.steps++
	if depth > maxDepth || p.steps > 2*maxSteps {
		return fmt.Errorf("expected at most %d steps in sequences nested %d deep", maxSteps, maxDepth)
	}
	return nil
}

// form returns the function of all normalizers, nil if there is none.
func (p *pipeline) form() func(string) string {
	if len(p.forms) == 0 {
		return nil
	}
	return func(s string) string {
		for _, form := range p.forms {
			s = form(s)
		}
		return s
	}
}

func (p *pipeline) normalizer(raw json.RawMessage, depth int) error {
	if null(raw) {
		return nil
	}
	kind, err := kindOf(p.ctx, raw)
	if err == nil {
		err = p.count(depth)
	}
	if err != nil {
		return err
	}
	if kind == "Sequence" {
		return members(p.ctx, raw, "normalizers", func(_ int, raw json.RawMessage) error { return p.normalizer(raw, depth+1) })
	}
	form, ok := normalForm(kind)
	if !ok {
		return refuse(kind, "NFC", "NFD", "NFKC", "NFKD", "a Sequence of them")
	}
	p.forms = append(p.forms, form)
	return nil
}

var errNoBytes = errors.New("expected a ByteLevel, found none: only byte-level vocabularies are supported")

func (p *pipeline) preTokenizer(raw json.RawMessage) error {
	p.steps = 0
	p.split = func(text string, yield func(string)) { yield(text) }
	if !null(raw) {
		if err := p.step(raw, 0); err != nil {
			return err
		}
	}
	if !p.bytes {
		return errNoBytes
	}
	return nil
}

func (p *pipeline) step(raw json.RawMessage, depth int) error {
	kind, err := kindOf(p.ctx, raw)
	if err == nil {
		err = p.count(depth)
	}
	if err != nil {
		return err
	}
	switch kind {
	case "Sequence":
		return members(p.ctx, raw, "pretokenizers", func(_ int, raw json.RawMessage) error { return p.step(raw, depth+1) })
	case "ByteLevel":
		return p.byteLevel(raw, depth == 0)
	case "Split":
		return p.splitStep(raw)
	case "Digits":
		return p.digits(raw)
	}
	return refuse(kind, "ByteLevel", "Split", "Digits", "a Sequence of them")
}

// then adds a step.
func (p *pipeline) then(s splitter) {
	if p.bytes {
		s = s.asChars()
	}
	p.split = p.split.then(s)
}

func (p *pipeline) byteLevel(raw json.RawMessage, alone bool) error {
	v := struct {
		AddPrefixSpace bool  `json:"add_prefix_space"`
		UseRegex       *bool `json:"use_regex"`
	}{}
	if err := unmarshal(p.ctx, raw, &v); err != nil {
		return err
	}
	if p.bytes {
		return errors.New("found ByteLevel twice, expected it once")
	}
	if alone && p.prefix != nil {
		v.AddPrefixSpace = *p.prefix
	}
	if v.AddPrefixSpace {
		p.then(prefixSpace)
	}
	if v.UseRegex == nil || *v.UseRegex {
		p.then(splitBy(scanner(scanGPT2).find, isolated, false))
	}
	p.bytes = true
	return nil
}

func (p *pipeline) splitStep(raw json.RawMessage) error {
	var v struct {
		Pattern struct {
			Regex  *string
			String *string
		} `json:"pattern"`
		Behavior behavior `json:"behavior"`
		Invert   bool     `json:"invert"`
	}
	if err := unmarshal(p.ctx, raw, &v); err != nil {
		return err
	}
	if err := v.Behavior.check(); err != nil {
		return field("behavior", err)
	}
	var find finder
	var err error
	switch {
	case v.Pattern.Regex != nil:
		find, err = findPattern(*v.Pattern.Regex)
	case v.Pattern.String != nil && *v.Pattern.String != "":
		find = findText(*v.Pattern.String)
	default:
		err = errors.New("expected a Regex or a String, found none")
	}
	if err != nil {
		return field("pattern", err)
	}
	p.then(splitBy(find, v.Behavior, v.Invert))
	return nil
}

func (b behavior) check() error {
	names := make([]string, len(behaviors))
	for i, known := range behaviors {
		if b == known {
			return nil
		}
		names[i] = string(known)
	}
	return fmt.Errorf("found %s, expected %s", oneline.Quote(string(b)), oneOf(names))
}

func (p *pipeline) digits(raw json.RawMessage) error {
	var v struct {
		Individual bool `json:"individual_digits"`
	}
	if err := unmarshal(p.ctx, raw, &v); err != nil {
		return err
	}
	how := contiguous
	if v.Individual {
		how = isolated
	}
	p.then(splitBy(findNumbers, how, false))
	return nil
}
