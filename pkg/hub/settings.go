package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// Env looks up an environment variable, as os.Getenv does. A variable that is
// empty counts as one that is not set.
type Env func(name string) string

// DefaultEndpoint is asked unless HF_ENDPOINT names another server.
const DefaultEndpoint = "https://huggingface.co"

// Settings is what the environment says.
type Settings struct {
	Cache    string // the cache's folder, which need not exist
	Endpoint string // without a slash at its end
	Token    string // empty for none
	Offline  string // the variable that forbids the network, empty for none
}

// ReadSettings reads the environment, and the file with the token where no
// variable holds one; it may be a pipe, which is waited for until ctx ends. No
// error shows the token.
func ReadSettings(ctx context.Context, env Env) (Settings, error) {
	var s Settings
	var err error
	if s.Cache, err = CacheDir(env); err != nil {
		return s, err
	}
	s.Offline = offline(env)
	if s.Endpoint, err = endpoint(env); err != nil {
		return s, err
	}
	s.Token, err = token(ctx, env)
	return s, err
}

// CacheDir is the cache's folder: the first that is set of HF_HUB_CACHE,
// HUGGINGFACE_HUB_CACHE, HF_HOME with hub below it, XDG_CACHE_HOME with
// huggingface/hub below it, or else ~/.cache/huggingface/hub.
func CacheDir(env Env) (string, error) {
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		if v := env(name); v != "" {
			return expand(env, v)
		}
	}
	home, err := hubHome(env)
	if err != nil {
		return "", fmt.Errorf("the Hugging Face cache: %w", err)
	}
	return filepath.Join(home, "hub"), nil
}

// hubHome is HF_HOME or what stands for it.
func hubHome(env Env) (string, error) {
	if v := env("HF_HOME"); v != "" {
		return expand(env, v)
	}
	if v := env("XDG_CACHE_HOME"); v != "" {
		return expand(env, filepath.Join(v, "huggingface"))
	}
	home, err := userHome(env)
	return filepath.Join(home, ".cache", "huggingface"), err
}

func userHome(env Env) (string, error) {
	name := "HOME"
	if runtime.GOOS == "windows" {
		name = "USERPROFILE"
	}
	home := env(name)
	if home == "" {
		return "", fmt.Errorf("expected HF_HOME or %s to be set, found neither", name)
	}
	return home, nil
}

// expand replaces ~ at the beginning, and the variables that are set.
func expand(env Env, path string) (string, error) {
	path = os.Expand(path, func(name string) string {
		if v := env(name); v != "" {
			return v
		}
		return "$" + name
	})
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return filepath.Clean(path), nil
	}
	home, err := userHome(env)
	return filepath.Join(home, path[1:]), err
}

// offline names the variable that forbids the network.
func offline(env Env) string {
	for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		if v := env(name); v != "" {
			if slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(v)) {
				return name
			}
			return ""
		}
	}
	return ""
}

func endpoint(env Env) (string, error) {
	text := env("HF_ENDPOINT")
	if text == "" {
		return DefaultEndpoint, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("HF_ENDPOINT: expected an address such as %s, found %q", DefaultEndpoint, shown(text))
	}
	return strings.TrimRight(text, "/"), nil
}

// shown hides a password in an address that is wrong.
func shown(address string) string {
	if i := strings.LastIndex(address, "@"); i >= 0 {
		return "…" + address[i:]
	}
	return address
}

const maxToken = 4096

// token reads HF_TOKEN, HUGGING_FACE_HUB_TOKEN, or the file that logging in
// leaves, or a pipe in its place.
func token(ctx context.Context, env Env) (string, error) {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if v := strings.TrimSpace(env(name)); v != "" {
			return checkToken(name, v)
		}
	}
	path, err := tokenPath(env)
	if err != nil {
		return "", nil // the cache is given by its own variable, and there is no home
	}
	text, err := jsonfile.ReadFile(ctx, path, "a token", maxToken)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return checkToken(path, strings.TrimSpace(string(text)))
}

func tokenPath(env Env) (string, error) {
	if v := env("HF_TOKEN_PATH"); v != "" {
		return expand(env, v)
	}
	home, err := hubHome(env)
	return filepath.Join(home, "token"), err
}

// checkToken refuses what cannot stand in a header.
func checkToken(where, token string) (string, error) {
	if len(token) > maxToken {
		return "", fmt.Errorf("%s: expected a token of at most %d bytes, found %d", where, maxToken, len(token))
	}
	for _, c := range []byte(token) {
		if c <= ' ' || c > '~' {
			return "", fmt.Errorf("%s: expected a token of letters and digits, found byte 0x%02x in it", where, c)
		}
	}
	return token, nil
}
