package hub

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client downloads models into a cache.
type Client struct {
	Settings
	HTTP  *http.Client                                   // nil for one with the proxies of the environment
	Sleep func(context.Context, time.Duration) error     // waits before another attempt; nil for the clock
	Stall time.Duration                                  // how long a server may send nothing; 0 for a minute
	link  func(oldname, newname string) (symbolic error) // os.Symlink if nil
}

const (
	defaultStall = time.Minute
	maxRedirects = 10
)

// reply is an answer, with what the servers on the way to it said of the file.
type reply struct {
	*http.Response
	host   string
	commit string // empty where it was not said, like the etag
	etag   string
	linked bool  // etag is that of the content, wherever it lies
	size   int64 // -1 where it was not said
}

// send follows redirects itself: the token goes to the endpoint only, and what
// the endpoint says of a file is kept, whatever host has its content. For a
// HEAD request a redirect to another host is the answer.
func (c *Client) send(ctx context.Context, method, address string, header http.Header) (*reply, error) {
	base, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint: expected an address, found %q", c.Endpoint)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("endpoint: expected an address, found %q", c.Endpoint)
	}
	r := &reply{size: -1}
	for range maxRedirects {
		if r.Response, err = c.sendOnce(ctx, method, u, header, sameOrigin(u, base)); err != nil {
			return nil, err
		}
		r.host = u.Host
		if sameOrigin(u, base) {
			r.note()
		}
		location := r.Header.Get("Location")
		if r.StatusCode < 300 || r.StatusCode > 399 || location == "" {
			return r, nil
		}
		next, err := u.Parse(location)
		if err == nil && method == http.MethodHead && !sameOrigin(next, base) {
			return r, nil
		}
		_ = r.Body.Close() // of a redirect nothing is read
		if err != nil || next.Scheme != "https" && next.Scheme != "http" || next.Host == "" {
			return nil, fmt.Errorf("%s: expected a redirect to another address, found one that cannot be read", u.Host)
		}
		if u.Scheme == "https" && next.Scheme != "https" {
			return nil, fmt.Errorf("%s: expected a redirect that stays encrypted, found one to http://%s", u.Host, next.Host)
		}
		u = next
	}
	return nil, fmt.Errorf("%s: expected at most %d redirects, found more", base.Host, maxRedirects)
}

func (c *Client) sendOnce(ctx context.Context, method string, u *url.URL, header http.Header, trusted bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("endpoint: expected an address, found %q", c.Endpoint)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "acdc")
	req.Header.Set("Accept-Encoding", "identity") // sizes and ranges are those of the file itself
	if trusted && c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := c.httpClient().Do(req)
	if err != nil {
		return nil, transportError(ctx, u.Host, err)
	}
	return resp, nil
}

// httpClient is the client without its own way to follow redirects.
func (c *Client) httpClient() *http.Client {
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// sameOrigin compares scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// note takes over what the headers say of the file.
func (r *reply) note() {
	redirect := r.StatusCode >= 300 && r.StatusCode <= 399
	if v := r.Header.Get("X-Repo-Commit"); v != "" {
		r.commit = strings.ToLower(v)
	}
	etag := r.Header.Get("X-Linked-Etag")
	if etag != "" {
		r.linked = true
	} else if !r.linked {
		etag = r.Header.Get("ETag")
	}
	if etag != "" {
		r.etag = strings.ToLower(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
	}
	size := r.Header.Get("X-Linked-Size")
	if size == "" && !redirect && r.StatusCode == http.StatusOK {
		size = r.Header.Get("Content-Length")
	}
	if n, err := strconv.ParseInt(size, 10, 64); err == nil && n >= 0 {
		r.size = n
	}
}

// address is that of a part of the endpoint; each piece is escaped, slashes
// between the pieces are not.
func (c *Client) address(pieces ...string) string {
	out := strings.TrimRight(c.Endpoint, "/")
	for _, p := range pieces {
		out += "/" + url.PathEscape(p)
	}
	return out
}

// list asks for the commit and the files of a revision.
func (c *Client) list(ctx context.Context, repo, revision string) (*listing, error) {
	pieces := append([]string{"api", "models"}, strings.Split(repo, "/")...)
	ctx, watch := c.watch(ctx)
	defer watch.stop()
	r, err := c.send(ctx, http.MethodGet, c.address(append(pieces, "revision", revision)...)+"?blobs=true", nil)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, newStatusError(r)
	}
	l, err := readListing(ctx, watch.reader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("%s: the answer about model %s: %w", r.host, repo, watch.explain(err))
	}
	return l, nil
}

// describe asks for the checksum and size of a file where the list lacked them.
func (c *Client) describe(ctx context.Context, address string, f *remoteFile) error {
	ctx, watch := c.watch(ctx)
	defer watch.stop()
	r, err := c.send(ctx, http.MethodHead, address, nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode >= 400 {
		return newStatusError(r)
	}
	if f.etag == "" {
		if f.etag = r.etag; !etagPattern.MatchString(f.etag) {
			return fmt.Errorf("%s: expected a checksum of 40 or 64 hex digits as its ETag, found %s", f.name, excerpt(f.etag))
		}
	}
	if f.size < 0 {
		f.size = r.size
	}
	return nil
}
