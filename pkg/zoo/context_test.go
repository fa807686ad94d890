package zoo

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// everyModel writes a model in every layout and container, and names those that
// need no files.
func everyModel(t *testing.T) (names []string, o Options) {
	t.Helper()
	names = []string{"induction", "or_gate", "random:2x2x256x1024x3000", golden.Path("gpt3l-random"), golden.Path("tracr", "tracr-reverse.safetensors")}
	for _, model := range []string{"hf-gpt2-tiny", "hf-gpt_neo-tiny", "hf-gpt_neox-tiny"} {
		raw := arrays(t, golden.Path(model, "model.safetensors"))
		for _, write := range containers {
			dir := t.TempDir()
			copyFile(t, golden.Path(model, "config.json"), filepath.Join(dir, "config.json"))
			require.NoError(t, write(dir, raw, weights.BF16))
			names = append(names, dir)
		}
		dir := t.TempDir()
		copyFile(t, golden.Path(model, "config.json"), filepath.Join(dir, "model.config.json"))
		create(t, filepath.Join(dir, "model.npz"), func(w io.Writer) error { return weightstest.NPZ(w, raw, weights.F32) })
		names = append(names, filepath.Join(dir, "model.npz"))
	}
	_, o.Env = cached(t, "openai-community--gpt2", "hf-gpt2-tiny")
	return append(names, "gpt2"), o
}

// Wherever in the opening of a model the context ends, its error is returned.
func TestOpenEndsWithTheContext(t *testing.T) {
	names, o := everyModel(t)
	seed := uint64(3)
	for _, name := range names {
		for _, o := range []Options{{Threads: 1, Env: o.Env}, {Threads: 2, Env: o.Env, Reset: &seed}, {Threads: 1, Env: o.Env, Processing: checkpoint.NoProcessing()}} {
			t.Run(name, func(t *testing.T) {
				ending.Everywhere(t, 20, func(ctx context.Context) error {
					m, err := OpenWith(ctx, name, o)
					if err == nil {
						require.NoError(t, m.Close())
					}
					return err
				})
			})
		}
	}
}

// The context is asked at least once in a mebibyte of weights by each step.
func TestOpenAsksOftenEnough(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 700 MB")
	}
	seed := uint64(3)
	dir := gpt2Folder(t, 1)
	for name, steps := range map[string]int{
		"random:1x1x1024x4096x1000": 2, // to be made, to be looked at
		dir:                         2, // to be looked at, to be processed
	} {
		size := 0
		ending.Everywhere(t, 4, func(ctx context.Context) error {
			m, err := OpenWith(ctx, name, Options{Threads: 1, Reset: &seed})
			if err == nil {
				size = 4 * m.Config.Parameters() >> 20
				require.NoError(t, m.Close())
			}
			return err
		})
		asked := ending.After(1 << 60)
		m, err := OpenWith(asked, name, Options{Threads: 1, Reset: &seed})
		require.NoError(t, err)
		assert.Greater(t, asked.Asked(), steps*size, name)
		_, err = m.Hash(ending.After(size/2), 1)
		assert.Equal(t, context.Canceled, err, "while it is hashed")
		require.NoError(t, m.Close())
	}
}

func TestTokenizersEndWithTheContext(t *testing.T) {
	dir := t.TempDir()
	create(t, filepath.Join(dir, "tokenizer.json"), func(w io.Writer) error {
		_, err := io.WriteString(w, `{"added_tokens":[{"id":3,"content":"<s>","special":true}],"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false}]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}}]},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}`)
		return err
	})
	pair := t.TempDir()
	for name, text := range map[string]string{"vocab.json": `{"a":0,"b":1,"ab":2}`, "merges.txt": "a b\n", "added_tokens.json": `{"<s>":3}`,
		"tokenizer_config.json": `{"added_tokens_decoder":{"3":{"content":"<s>"}},"bos_token":"a"}`} {
		create(t, filepath.Join(pair, name), func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
	}
	for _, folder := range []string{dir, pair} {
		copyFile(t, golden.Path("hf-gpt2-tiny", "config.json"), filepath.Join(folder, "config.json"))
		ending.Everywhere(t, 15, func(ctx context.Context) error {
			_, err := OpenTokenizer(ctx, folder, Options{})
			return err
		})
	}
	_, env := cached(t, "openai-community--gpt2", "hf-gpt2-tiny")
	snapshots, err := filepath.Glob(filepath.Join(env("HF_HOME"), "hub", "*", "snapshots", "*"))
	require.NoError(t, err)
	require.NoError(t, os.Rename(filepath.Join(dir, "tokenizer.json"), filepath.Join(snapshots[0], "tokenizer.json")))
	ending.Everywhere(t, 15, func(ctx context.Context) error {
		_, err := OpenTokenizer(ctx, "gpt2", Options{Env: env})
		return err
	})
}
