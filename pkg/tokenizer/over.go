package tokenizer

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// settingsError is an error of the settings beside a tokenizer.json.
type settingsError struct{ text string }

func (e *settingsError) Error() string { return e.text }

// overlay are added tokens, the later ones of a content in place of the earlier.
type overlay struct {
	list []addedToken
	at   map[string]int // in list, by content
}

func (o *overlay) put(a addedToken) {
	i, ok := o.at[*a.Content]
	if !ok {
		i = len(o.list)
		o.at[*a.Content] = i
		o.list = append(o.list, a)
	}
	o.list[i] = a
}

// over puts the added tokens of the settings over those of tokenizer.json, list,
// as transformers' PreTrainedTokenizerFast does: those of added_tokens_decoder
// replace tokens of the same content, and special tokens that are no added ones
// become such. A token that is new gets the next id.
func (t *Tokenizer) over(ctx context.Context, list []addedToken, beside *settings) ([]addedToken, error) {
	o := &overlay{at: map[string]int{}}
	for _, a := range list {
		o.put(a)
	}
	special := beside.special()
	if err := t.overDecoder(ctx, o, beside, special); err != nil {
		return nil, &settingsError{fmt.Sprintf("%s: field \"added_tokens_decoder\": %v", beside.path, err)}
	}
	bos := beside.named["bos_token"].token
	for _, a := range special {
		_, known := t.ids[*a.Content]
		if _, ok := o.at[*a.Content]; ok || !known && !bos.empty() && *bos.Content == *a.Content {
			continue // a BOS that nobody knows is refused where BOS is read
		}
		if err := t.overOne(o, a); err != nil {
			return nil, &settingsError{fmt.Sprintf("%s: %v", beside.path, err)}
		}
	}
	return o.list, nil
}

// overDecoder puts the tokens of added_tokens_decoder over others.
func (t *Tokenizer) overDecoder(ctx context.Context, o *overlay, beside *settings, special []addedToken) error {
	decoder, err := beside.addedDecoder(ctx)
	if err != nil {
		return err
	}
	for _, a := range decoder {
		a.Special = a.Special || slices.ContainsFunc(special, func(s addedToken) bool { return *s.Content == *a.Content })
		if _, known := t.ids[*a.Content]; !known && *a.ID != t.Vocab() {
			return fmt.Errorf("entry %d: %s: expected the next id, %d, for a token that tokenizer.json does not have", *a.ID, oneline.Quote(*a.Content), t.Vocab())
		}
		if err := t.overOne(o, a); err != nil {
			return err
		}
	}
	return nil
}

// overOne puts a token over others, under the id that its content has, else the
// next one.
func (t *Tokenizer) overOne(o *overlay, a addedToken) error {
	id, known := t.ids[*a.Content]
	if !known {
		id = t.Vocab()
	}
	a.ID = &id
	if err := a.check(); err != nil {
		return err
	}
	if !known {
		t.set(id, *a.Content, *a.Content)
	}
	o.put(a)
	return nil
}
