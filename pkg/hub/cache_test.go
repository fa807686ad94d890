package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func envOf(pairs ...string) Env {
	vars := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return vars[name] }
}

// Each line adds a variable that comes before those above it.
func TestCacheDir(t *testing.T) {
	var set []string
	for _, c := range [][3]string{
		{"HOME", "/home/me", "/home/me/.cache/huggingface/hub"},
		{"XDG_CACHE_HOME", "/x", "/x/huggingface/hub"},
		{"HF_HOME", "~/hf", "/home/me/hf/hub"},
		{"HUGGINGFACE_HUB_CACHE", "/old", "/old"},
		{"HF_HUB_CACHE", "$HOME/new/${XDG_CACHE_HOME}/$NONE", "/home/me/new/x/$NONE"},
	} {
		set = append(set, c[0], c[1])
		dir, err := CacheDir(envOf(set...))
		require.NoError(t, err)
		assert.Equal(t, filepath.FromSlash(c[2]), dir, c[0])
	}
	_, err := CacheDir(envOf())
	require.EqualError(t, err, "the Hugging Face cache: expected HF_HOME or HOME to be set, found neither")
}

func TestReadSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("token", "hf_file\n")
	other := write("other", "hf_other")
	for _, c := range []struct {
		env  []string
		want Settings
	}{
		{nil, Settings{Endpoint: DefaultEndpoint, Token: "hf_file"}},
		{[]string{"HF_TOKEN_PATH", other}, Settings{Endpoint: DefaultEndpoint, Token: "hf_other"}},
		{[]string{"HUGGING_FACE_HUB_TOKEN", "hf_old"}, Settings{Endpoint: DefaultEndpoint, Token: "hf_old"}},
		{[]string{"HUGGING_FACE_HUB_TOKEN", "hf_old", "HF_TOKEN", " hf_new\n"}, Settings{Endpoint: DefaultEndpoint, Token: "hf_new"}},
		{[]string{"HF_TOKEN_PATH", filepath.Join(dir, "none")}, Settings{Endpoint: DefaultEndpoint}},
		{[]string{"HF_ENDPOINT", "http://localhost:8080/mirror/"}, Settings{Endpoint: "http://localhost:8080/mirror", Token: "hf_file"}},
		{[]string{"HF_HUB_OFFLINE", "1"}, Settings{Endpoint: DefaultEndpoint, Token: "hf_file", Offline: "HF_HUB_OFFLINE"}},
		{[]string{"HF_HUB_OFFLINE", "0"}, Settings{Endpoint: DefaultEndpoint, Token: "hf_file"}},
		{[]string{"TRANSFORMERS_OFFLINE", "yes"}, Settings{Endpoint: DefaultEndpoint, Token: "hf_file", Offline: "TRANSFORMERS_OFFLINE"}},
	} {
		got, err := ReadSettings(t.Context(), envOf(append(c.env, "HF_HOME", dir)...))
		require.NoError(t, err)
		c.want.Cache = filepath.Join(dir, "hub")
		assert.Equal(t, c.want, got, "%v", c.env)
	}
}

func TestWrongSettings(t *testing.T) {
	dir := t.TempDir()
	for _, c := range [][3]string{
		{"HF_ENDPOINT", "huggingface.co", `HF_ENDPOINT: expected an address such as https://huggingface.co, found "huggingface.co"`},
		{"HF_ENDPOINT", "ftp://x", `found "ftp://x"`},
		{"HF_ENDPOINT", "https://", `found "https://"`},
		{"HF_ENDPOINT", "https://x?y", `found "https://x?y"`},
		{"HF_ENDPOINT", "https://me:secret@x", `found "…@x"`},
		{"HF_ENDPOINT", "https://x y", `found "https://x y"`},
		{"HF_TOKEN", "hf_a secret", "HF_TOKEN: expected a token of letters and digits, found byte 0x20 in it"},
		{"HF_TOKEN", strings.Repeat("secret", 1000), "HF_TOKEN: expected a token of at most 4096 bytes, found 6000"},
		{"HF_TOKEN_PATH", dir, dir + ": expected a token, found a directory"},
	} {
		_, err := ReadSettings(t.Context(), envOf("HF_HOME", dir, c[0], c[1]))
		require.Error(t, err)
		assert.Contains(t, err.Error(), c[2])
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestResolve(t *testing.T) {
	for name, want := range map[string]Model{
		"gpt2":                               {"gpt2", []string{"gpt2", "openai-community/gpt2"}, ""},
		"GPT2-XL":                            {"gpt2-xl", []string{"gpt2-xl", "openai-community/gpt2-xl"}, ""},
		"openai-community/gpt2":              {"openai-community/gpt2", []string{"openai-community/gpt2", "gpt2"}, ""},
		"pythia-70m":                         {"pythia-70m", []string{"EleutherAI/pythia-70m"}, ""},
		"pythia-12b-deduped":                 {"pythia-12b-deduped", []string{"EleutherAI/pythia-12b-deduped"}, ""},
		"gpt-neo-125M":                       {"gpt-neo-125m", []string{"EleutherAI/gpt-neo-125m", "EleutherAI/gpt-neo-125M"}, ""},
		"attn-only-4l":                       {"attn-only-4l", []string{"NeelNanda/Attn_Only_4L512W_C4_Code"}, digitsTokes},
		"gelu-1l":                            {"gelu-1l", []string{"NeelNanda/GELU_1L512W_C4_Code"}, digitsTokes},
		"gelu-4l":                            {"gelu-4l", []string{"NeelNanda/GELU_4L512W_C4_Code"}, digitsTokes},
		"redwood_attn_2l":                    {"redwood_attn_2l", []string{"ArthurConmy/redwood_attn_2l"}, "gpt2"},
		"NeelNanda/SoLU_1L512W_C4_Code":      {"NeelNanda/SoLU_1L512W_C4_Code", []string{"NeelNanda/SoLU_1L512W_C4_Code"}, ""},
		"roneneldan/TinyStories-Instruct-1M": {"roneneldan/TinyStories-Instruct-1M", []string{"roneneldan/TinyStories-Instruct-1M"}, ""},
	} {
		m, err := Resolve(name)
		require.NoError(t, err)
		assert.Equal(t, want, m)
	}
	seen := map[string]bool{}
	for _, m := range Aliases() {
		assert.False(t, seen[m.Name], m.Name)
		seen[m.Name] = true
		for _, repo := range append(m.Repos, m.Tokenizer) {
			if repo != "" {
				assert.NoError(t, checkRepo(repo))
			}
		}
	}
	assert.Len(t, seen, 34)
}

func TestNamesThatCannotBe(t *testing.T) {
	c := &Cache{t.TempDir()}
	var wrong *NameError
	for _, name := range []string{"", "/", "a/", "/a", "a/b/c", "../x", "a/..", ".", "a--b", "a b", "a\\b", "a:b", "-a", "a-", "a.", "ä", "a/b\n", strings.Repeat("x", 97), "random:gpt2"} {
		_, err := c.Find(t.Context(), name, "")
		require.ErrorAs(t, err, &wrong, name)
		assert.Contains(t, err.Error(), "expected a short name such as gpt2, or a repository as org/name")
	}
	for _, revision := range []string{"..", "../x", "a/../b", "/a", "a//b", "a/", "-x", "a b", "x\x00", strings.Repeat("x", 201)} {
		_, err := c.Find(t.Context(), "gpt2", revision)
		require.ErrorAs(t, err, &wrong, revision)
		assert.Contains(t, err.Error(), "expected a branch, a tag or a commit")
	}
	name, revision := Split("org/name@refs/pr/1")
	assert.Equal(t, "org/name refs/pr/1", name+" "+revision)
}

// layout writes a cache as the Python libraries do.
func layout(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			require.NoError(t, os.Symlink(target, path))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
}

func TestFind(t *testing.T) {
	const root = "models--openai-community--gpt2/"
	dir := t.TempDir()
	layout(t, dir, map[string]string{
		"models--gpt2/refs/main":                                    commitB, // a tokenizer only
		"models--gpt2/snapshots/" + commitB + "/vocab.json":         "{}",
		"models--gpt2/snapshots/" + commitB + "/merges.txt":         "",
		root + "refs/main":                                          commitA + "\n",
		root + "refs/refs/pr/7":                                     commitA,
		root + "refs/broken":                                        "../../x",
		root + "refs/gone":                                          strings.Repeat("0", 40),
		root + "blobs/aa":                                           "{}",
		root + "snapshots/" + commitA + "/config.json":              "-> ../../blobs/aa",
		root + "snapshots/" + commitA + "/model.safetensors":        "-> ../../blobs/aa",
		root + "snapshots/" + commitB + "/config.json":              "-> ../../blobs/aa",
		root + "snapshots/" + commitB + "/model.safetensors":        "-> ../../blobs/gone",
		"models--a--b/snapshots/" + commitA + "/model_final.pth":    "",
		"models--a--b/snapshots/" + commitA + "/config.json":        "",
		"models--org--shards/refs/main":                             commitA,
		"models--org--shards/snapshots/" + commitA + "/config.json": "",
	})
	c := &Cache{dir}
	for _, revision := range []string{"", "main", "refs/pr/7", commitA} {
		for _, name := range []string{"gpt2", "openai-community/gpt2", "gpt2-small"} {
			found, err := c.Find(t.Context(), name, revision)
			require.NoError(t, err)
			assert.Equal(t, filepath.Join(dir, filepath.FromSlash(root), "snapshots", commitA), found)
		}
	}
	found, err := c.FindTokenizer(t.Context(), "redwood_attn_2l", "any")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "models--gpt2", "snapshots", commitB), found)
	for _, w := range [][3]string{
		{"gpt2", commitB, commitB + ": expected config.json, found none"}, // what the first folder lacks
		{"openai-community/gpt2", commitB, "expected model.safetensors, pytorch_model.bin, or a .pth or .pt file, found none"},
		{"openai-community/gpt2", "broken", `refs/broken: expected a commit of 40 hex digits, found "../../x"`},
		{"openai-community/gpt2", "gone", "no such folder; there is snapshot " + commitB + ", " + commitA},
		{"a/b", "", "refs/main: no such file or directory; there is snapshot " + commitA},
		{"gpt2-medium", "", "model gpt2-medium at revision main: not in the Hugging Face cache: looked in " +
			filepath.Join(dir, "models--gpt2-medium") + " and " + filepath.Join(dir, "models--openai-community--gpt2-medium")},
	} {
		_, err := c.Find(t.Context(), w[0], w[1])
		var missing *NotFoundError
		require.ErrorAs(t, err, &missing)
		assert.Contains(t, err.Error(), w[2])
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestChoose(t *testing.T) {
	shard := func(n string) string { return "model-0000" + n + "-of-00002.safetensors" }
	for _, c := range []struct{ have, want string }{
		{"pytorch_model.bin config.json onnx/model.onnx model.safetensors flax_model.msgpack merges.txt vocab.json generation_config.json",
			"config.json vocab.json merges.txt model.safetensors"},
		{"config.json vocab.json pytorch_model.bin sub/model.safetensors", "config.json pytorch_model.bin"},
		{"config.json model.safetensors.index.json pytorch_model.bin " + shard("2") + " " + shard("1"),
			"config.json model.safetensors.index.json " + shard("1") + " " + shard("2")},
		{"config.json model.safetensors.index.json pytorch_model.bin " + shard("1"), "config.json pytorch_model.bin"},
		{"config.json pytorch_model.bin.index.json pytorch_model-00001-of-00001.bin x.pth", "config.json pytorch_model.bin.index.json pytorch_model-00001-of-00001.bin"},
		{"config.json model_1.pth model_final.pth x.pt tokenizer.json added_tokens.json special_tokens_map.json tokenizer_config.json",
			"config.json tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json model_final.pth"},
		{"config.json w.pt", "config.json w.pt"},
	} {
		got, err := choose(strings.Fields(c.have), false)
		require.NoError(t, err)
		assert.Equal(t, c.want, strings.Join(got, " "))
	}
	_, err := choose([]string{"config.json", "model.safetensors.index.json", shard("2"), "model-00002-of-00003.safetensors"}, false)
	require.ErrorContains(t, err, "model.safetensors.index.json: expected part 1 of 3, found model-00002-of-00002.safetensors")
}
