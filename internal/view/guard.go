package view

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// NewToken is a word of 128 random bits or more, which nobody guesses.
func NewToken() string { return strings.ToLower(rand.Text()) }

// guard lets in only who has the token and comes from the page itself. Any page
// that a browser has open may send requests to the loopback; what tells them from
// ours is
//
//   - Host: a name of another site that was made to lead here (DNS rebinding)
//     stands there as it is;
//   - Origin: another site's own, which its scripts cannot change;
//   - the token, which other sites and other users of the machine do not know;
//   - for what asks the engine, a type of content that no form of another site
//     can send.
type guard struct {
	token string
	hosts []string // that the server may be called by
	next  http.Handler
	deny  func(w http.ResponseWriter, status int, why string)
}

// hosts lists what a server of the loopback may be called.
func hosts(l net.Listener) []string {
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	out := []string{"127.0.0.1:" + port, "localhost:" + port}
	if port == "80" { // which browsers leave out
		out = append(out, "127.0.0.1", "localhost")
	}
	return out
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if status, why := g.refuses(r); status != 0 {
		g.deny(w, status, why)
		return
	}
	g.next.ServeHTTP(w, r)
}

// refuses says with which status a request is refused and why; 0 if it is not.
func (g *guard) refuses(r *http.Request) (status int, why string) {
	if !slices.Contains(g.hosts, strings.ToLower(r.Host)) {
		return http.StatusForbidden, "foreign Host: expected the address that acdc view printed"
	}
	for _, origin := range r.Header.Values("Origin") {
		if !strings.EqualFold(origin, "http://"+r.Host) {
			return http.StatusForbidden, "foreign Origin: expected a request of the page itself"
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); r.Method != http.MethodGet && site != "" && site != "same-origin" {
		return http.StatusForbidden, "foreign Sec-Fetch-Site: expected a request of the page itself"
	}
	token, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) != 1 {
		return http.StatusForbidden, "missing token: expected the whole address that acdc view printed"
	}
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/json" {
		return http.StatusUnsupportedMediaType, "expected Content-Type application/json"
	}
	return 0, ""
}
